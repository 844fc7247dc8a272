/**
 * Golden logs: what was recorded once must fold to the recorded end for ever, or MACHINE_VERSION is raised and the new
 * meaning said in an ADR. `GOLDEN_RECORD=1` writes logs that do not exist yet, never others.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BotState } from '../../src/domain/bot-state.ts';
import type { StoredEvent } from '../../src/domain/recorded.ts';
import { MACHINE_VERSION } from '../../src/machines/bot-machine.ts';
import { evolve, fold, initialState } from '../../src/machines/evolve.ts';
import { upcast } from '../../src/machines/upcast.ts';
import { STORIES } from './stories.ts';

const LOGS = join(import.meta.dirname, 'logs');

interface Golden {
  readonly machineVersion: number;
  readonly end: BotState;
}
const read = (file: string): { events: StoredEvent[]; golden: Golden } => {
  const lines = readFileSync(join(LOGS, file), 'utf8').trimEnd().split('\n');
  return {
    golden: JSON.parse(lines[0] ?? '') as Golden,
    events: lines.slice(1).map((line) => JSON.parse(line) as StoredEvent),
  };
};

if (process.env['GOLDEN_RECORD'] !== undefined) {
  for (const [name, story] of Object.entries(STORIES)) {
    const path = join(LOGS, `v${String(MACHINE_VERSION)}-${name}.jsonl`);
    if (existsSync(path)) continue;
    const { events, end } = await story();
    const head: Golden = { machineVersion: MACHINE_VERSION, end };
    writeFileSync(path, [head, ...events].map((line) => JSON.stringify(line)).join('\n') + '\n');
  }
}

const files = readdirSync(LOGS).filter((file) => file.endsWith('.jsonl'));

describe('golden logs', () => {
  it('exist', () => {
    expect(files.length).toBeGreaterThanOrEqual(Object.keys(STORIES).length);
  });
  it.each(files)('%s folds to its recorded end', (file) => {
    const { events, golden } = read(file);
    expect(fold(initialState, events.map(upcast))).toEqual(golden.end);
  });
  it.each(files)('%s: any prefix kept as JSON and the rest give the same state', (file) => {
    const { events, golden } = read(file);
    const past = events.map(upcast);
    for (let cut = 0; cut < past.length; cut += 3) {
      const half = JSON.parse(JSON.stringify(fold(initialState, past.slice(0, cut)))) as BotState;
      expect(fold(half, past.slice(cut))).toEqual(golden.end);
    }
  });
  it.each(Object.entries(STORIES))('the story %s still makes a log that folds', async (_name, story) => {
    const { events, end } = await story();
    expect(fold(initialState, events.map(upcast))).toEqual(end);
  });
  it('an event that its state cannot take is refused, not ignored', () => {
    expect(() => evolve(initialState, { type: 'BecameHealthy', at: 1, afterMs: 1 })).toThrow(
      /cannot happen in stopped/,
    );
    expect(() => upcast({ type: 'BotCreated', schema: 99, data: {} })).toThrow(/newer drover/);
  });
});
