/** Reports lie where bots can write: only what has the shape counts (fault R50). */
import { describe, expect, it } from 'vitest';
import { parseSyncReport } from '../../src/adapters/docker/sync-report.ts';
import { syncFromVolume } from '../../src/controllers/sync-from-volume.ts';
import { parseSnapshot, snapshotText, type SyncReport } from '../../src/domain/sync-report.ts';
import type { ToolResult } from '../../src/ports/container-tools.ts';
import { createFakeEngine } from '../support/fake-engine.ts';

const whole: SyncReport = {
  attempt: 3,
  writtenAt: 1,
  restored: { source: 'snapshot', snapshot: { attempt: 2, sequence: 9 }, storeReachable: true },
  state: { status: 'failing', error: { code: 'ARCHIVE_UNAVAILABLE', detail: 'away' } },
  logs: { status: 'shipped', droppedBytes: 0 },
  diskFree: 0.5,
};

describe('a sync report', () => {
  it('comes back as it was written', () => {
    expect(parseSyncReport(JSON.stringify(whole), 3)).toEqual(whole);
  });
  it.each([
    ['of another attempt', JSON.stringify({ ...whole, attempt: 2 })],
    ['with a status that nobody knows', JSON.stringify({ ...whole, state: { status: 'fine' } })],
    [
      'with an error code that nobody knows',
      JSON.stringify({ ...whole, state: { status: 'failing', error: { code: 'X', detail: '' } } }),
    ],
    [
      'with endless files',
      JSON.stringify({ ...whole, state: { status: 'synced', overLimit: Array(11).fill({ path: 'a', bytes: 1 }) } }),
    ],
    ['that is half a file', JSON.stringify(whole).slice(0, 40)],
    ['that is a list', '[]'],
    ['that is empty', ''],
  ])('%s is none', (_what, text) => {
    expect(parseSyncReport(text, 3)).toBeUndefined();
  });
  it('has its long texts cut', () => {
    const long = { ...whole, state: { status: 'failing', error: { code: 'INTERNAL', detail: 'x'.repeat(9_999) } } };
    expect(parseSyncReport(JSON.stringify(long), 3)?.state.error?.detail).toHaveLength(1_000);
  });
});

describe('snapshots as operators name them', () => {
  it('are read back', () => {
    expect(parseSnapshot(snapshotText({ attempt: 3, sequence: 70 }))).toEqual({ attempt: 3, sequence: 70 });
  });
  it.each(['a3', 'a3/s', 'a3/s7/', '../a3/s7', 'A3/S7', 'a-3/s7', 'a3/s99999999999'])('%s is none', (text) => {
    expect(parseSnapshot(text)).toBeUndefined();
  });
});

describe('R11: a sync from the volume', () => {
  const effect = { type: 'EnsureSynced', incarnation: 1, attempt: 3, image: null, timeoutMs: 1_000 } as const;
  const run = (result: ToolResult) =>
    syncFromVolume({ ...createFakeEngine(() => 0).engine, runTool: () => Promise.resolve(result) }, 'alpha', effect);

  it('names the snapshot that its report names', async () => {
    const output = `noise\n${JSON.stringify({ state: { status: 'synced', snapshot: { attempt: 3, sequence: 8 } } })}\n`;
    expect(await run({ code: 0, output, complaints: '' })).toEqual({ attempt: 3, sequence: 8 });
    expect(await run({ code: 0, output: '', complaints: '' })).toBeUndefined();
  });
  it('fails with the cause that its report names, else with its last words', async () => {
    const output = JSON.stringify({ logs: { status: 'failing', error: { code: 'ARCHIVE_FORBIDDEN', detail: 'no' } } });
    await expect(run({ code: 1, output, complaints: '' })).rejects.toMatchObject({ code: 'ARCHIVE_FORBIDDEN' });
    await expect(run({ code: 137, output: 'x', complaints: 'killed' })).rejects.toMatchObject({
      code: 'STATE_UNSYNCED',
      message: expect.stringContaining('killed') as string,
    });
  });
});
