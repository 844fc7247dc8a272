/** The jobs of the transfer process, and the keys they are done with. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DroverError } from '../../src/domain/errors.ts';
import type { StoreAccess } from '../../src/domain/store-access.ts';
import { createJobs } from '../../src/runtime/transfer/main.ts';

let root = '';
let accessFile = '';
let opened: (StoreAccess | undefined)[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'transfer-'));
  accessFile = join(root, 'access.json');
  opened = [];
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const jobs = () =>
  createJobs({
    accessFile,
    open: (access) => {
      opened.push(access);
      return Promise.resolve({
        state: {
          restore: () => Promise.resolve({ source: 'volume', storeReachable: access !== undefined }),
          sync: () => Promise.resolve({ status: 'synced' }),
        },
        logs: { ship: () => Promise.reject(new DroverError('ARCHIVE_FORBIDDEN', 'no')) },
      });
    },
  });
const deliver = (path: string): void => {
  writeFileSync(accessFile, JSON.stringify({ kind: 'folder', path }));
};

it('restores from the volume without keys, and stores nothing', async () => {
  const doJob = jobs();
  expect(await doJob({ kind: 'restore' })).toEqual({
    kind: 'restore',
    report: { source: 'volume', storeReachable: false },
  });
  for (const kind of ['state', 'logs'] as const) {
    expect(await doJob({ kind, final: true })).toMatchObject({
      kind: 'failed',
      error: { code: 'STORAGE_UNAVAILABLE' },
    });
  }
});

it('opens the store again when the keys were replaced, and only then', async () => {
  const doJob = jobs();
  deliver('/one');
  await doJob({ kind: 'state', final: false });
  await doJob({ kind: 'state', final: false });
  deliver('/another');
  await doJob({ kind: 'state', final: false });
  expect(opened).toEqual([
    { kind: 'folder', path: '/one' },
    { kind: 'folder', path: '/another' },
  ]);
});

it('answers with the code of what failed; keys that are no JSON fail the job, not the process', async () => {
  const doJob = jobs();
  deliver('/one');
  expect(await doJob({ kind: 'logs', final: false })).toEqual({
    kind: 'failed',
    error: { code: 'ARCHIVE_FORBIDDEN', detail: 'no' },
  });
  writeFileSync(accessFile, '{');
  expect(await doJob({ kind: 'state', final: false })).toMatchObject({ kind: 'failed' });
});
