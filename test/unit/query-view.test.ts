/** A state to be looked at by a query: the right one or none at all, and nothing changed by looking (features F2, F9). */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateArchives } from '../../src/ports/state-archives.ts';
import type { SnapshotId } from '../../src/domain/sync-report.ts';
import { viewState, type ViewOptions, type ViewSource } from '../../src/runtime/state/view-state.ts';
import { createJobs } from '../../src/runtime/transfer/main.ts';
import { away, LIMITS, openStateVolume, treeOf, type StateVolume } from '../support/state-volume.ts';

let volume: StateVolume;
let place = '';
beforeEach(async () => {
  volume = await openStateVolume();
  place = await mkdtemp(join(tmpdir(), 'drover-view-'));
});
afterEach(async () => {
  await volume.close();
  // The copies are read-only.
  for (const name of ['.', ...(await readdir(place, { recursive: true }))]) await chmod(join(place, name), 0o755);
  await rm(place, { recursive: true, force: true });
});

const KEY = '.the0-state/x.json';
const NEWEST = { kind: 'newest' } as const;

const view = async (source: ViewSource, more: Partial<ViewOptions> = {}) => {
  const statePath = await mkdtemp(join(place, 'state-'));
  const tell = (): void => undefined;
  const options = { archives: volume.archives, incarnation: 1, statePath, limits: LIMITS, tell, ...more };
  const seen = await viewState(options, source);
  return { seen, tree: await treeOf(statePath), statePath };
};

/** One start after the other, each of which stores another value of the key; a minute between them. */
const starts = async (values: readonly string[], incarnation = 1, from = 1): Promise<void> => {
  for (const [index, value] of values.entries()) {
    const attempt = from + index;
    const keeper = volume.keeper({ attempt, incarnation });
    await keeper.restore();
    await volume.write({ [KEY]: value, 'deep/er/file': value });
    await keeper.sync({ final: true });
    const id = { attempt, sequence: 1 };
    await change(id, { createdAt: new Date(attempt * 60_000).toISOString() });
  }
};
const change = async (id: SnapshotId, fields: object): Promise<void> => {
  const text = (await volume.archives.manifest(id)) ?? '{}';
  await volume.archives.putManifest(id, JSON.stringify({ ...(JSON.parse(text) as object), ...fields }));
};
const legacyOf = async (files: Readonly<Record<string, string>>): Promise<void> => {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  await volume.archives.put({ attempt: 1, sequence: 1 }, Readable.from([gzipSync(await buffer(tar))]));
  const made = join(volume.storePath, 'state/a0000000001/s0000000001.tar.gz');
  await writeFile(join(volume.storePath, 'state/state.tar.gz'), await readFile(made));
  await rm(made);
};

describe('the newest state', () => {
  it('is the newest snapshot', async () => {
    await starts(['one', 'two']);
    const { seen, tree } = await view(NEWEST);
    expect(seen).toBe('a2/s1');
    expect(tree).toEqual({ '.the0-state/': '', [KEY]: 'two', 'deep/': '', 'deep/er/': '', 'deep/er/file': 'two' });
  });
  it('passes over what was kept before it was replaced', async () => {
    await starts(['one', 'two']);
    await change({ attempt: 2, sequence: 1 }, { kind: 'former' });
    expect((await view(NEWEST)).seen).toBe('a1/s1');
  });
  it('of a bot that only the reference has run is its archive, without what is no file', async () => {
    await legacyOf({ [KEY]: 'theirs', '../out': 'no' });
    const { seen, tree } = await view(NEWEST);
    expect(seen).toBe('archive');
    expect(tree).toEqual({ '.the0-state/': '', [KEY]: 'theirs' });
  });
  it('of a bot that never ran is empty', async () => {
    expect(await view(NEWEST)).toMatchObject({ seen: 'none', tree: {} });
  });
  it('of a new incarnation is empty, whatever an earlier one left', async () => {
    await starts(['one']);
    expect(await view(NEWEST, { incarnation: 2 })).toMatchObject({ seen: 'none', tree: {} });
    await starts(['two'], 2, 2);
    expect(await view(NEWEST, { incarnation: 2 })).toMatchObject({ seen: 'a2/s1' });
  });
  it('is looked for again when it was removed for a newer one meanwhile', async () => {
    await starts(['one', 'two']);
    let opened = 0;
    const open: StateArchives['open'] = (id) =>
      (opened += 1) === 1 ? Promise.resolve(undefined) : volume.archives.open(id);
    expect((await view(NEWEST, { archives: { ...volume.archives, open } })).seen).toBe('a2/s1');
  });
});

describe('F9: a state of the past', () => {
  it('is the newest one that was stored by then', async () => {
    await starts(['one', 'two', 'three']);
    for (const [at, seen, value] of [
      [60_000, 'a1/s1', 'one'],
      [179_999, 'a2/s1', 'two'],
      [999_999, 'a3/s1', 'three'],
    ] as const) {
      const found = await view({ kind: 'time', at });
      expect(found).toMatchObject({ seen, tree: { [KEY]: value } });
    }
  });
  it('before the first snapshot is not there', async () => {
    await starts(['one']);
    await expect(view({ kind: 'time', at: 59_999 })).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
  });
  it('of an earlier incarnation is not found by its time', async () => {
    await starts(['one']);
    await starts(['two'], 2, 2);
    const ours = { incarnation: 2 };
    await expect(view({ kind: 'time', at: 60_000 }, ours)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
    expect((await view({ kind: 'time', at: 120_000 }, ours)).seen).toBe('a2/s1');
  });
  it('by its name is that one, also one that was only kept; another name is none', async () => {
    await starts(['one', 'two']);
    const snapshot = { attempt: 1, sequence: 1 };
    await change(snapshot, { kind: 'former' });
    expect(await view({ kind: 'snapshot', snapshot })).toMatchObject({ seen: 'a1/s1', tree: { [KEY]: 'one' } });
    const other = { kind: 'snapshot', snapshot: { attempt: 9, sequence: 9 } } as const;
    await expect(view(other)).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
  });
});

describe('R35: a state that cannot be had', () => {
  const SNAPSHOT = { attempt: 2, sequence: 1 };
  const sources: readonly ViewSource[] = [
    NEWEST,
    { kind: 'time', at: 999_999 },
    { kind: 'snapshot', snapshot: SNAPSHOT },
  ];

  it.each(sources)('is an error when its manifest is damaged, never an older state: $kind', async (source) => {
    await starts(['one', 'two']);
    await volume.archives.putManifest(SNAPSHOT, '{"schema":1');
    await expect(view(source)).rejects.toMatchObject({ code: 'STATE_RESTORE_FAILED' });
  });
  it.each([{ sha256: '00' }, { tree: '00' }, { schema: 2 }])(
    'is an error when it is not what it says: %j',
    async (fields) => {
      await starts(['one', 'two']);
      await change(SNAPSHOT, fields);
      for (const source of sources) {
        await expect(view(source)).rejects.toMatchObject({ code: 'STATE_RESTORE_FAILED' });
      }
    },
  );
  it('is an error when the archive is cut off, or gone', async () => {
    await starts(['one', 'two']);
    const path = join(volume.storePath, 'state/a0000000002/s0000000001.tar.gz');
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, whole.length - 20));
    for (const source of sources) {
      await expect(view(source)).rejects.toMatchObject({ code: 'STATE_RESTORE_FAILED' });
    }
    await rm(path);
    for (const source of sources) {
      await expect(view(source)).rejects.toMatchObject({ code: 'STATE_RESTORE_FAILED' });
    }
  });
  it('is an error when the archive of the reference is none', async () => {
    await legacyOf({});
    await writeFile(join(volume.storePath, 'state/state.tar.gz'), 'nonsense');
    await expect(view(NEWEST)).rejects.toMatchObject({ code: 'STATE_RESTORE_FAILED' });
  });
  it.each(sources)('is never taken for none when the store does not answer: $kind', async (source) => {
    await expect(view(source, { archives: away() })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    const listed = { ...away(), list: () => Promise.resolve([]) } as StateArchives;
    const silent = { ...listed, openLegacy: away().openLegacy, manifest: away().manifest };
    await expect(view(source, { archives: silent })).rejects.toMatchObject({
      code: source.kind === 'time' ? 'SNAPSHOT_NOT_FOUND' : 'STORAGE_UNAVAILABLE',
    });
  });
});

describe('looking', () => {
  it('changes nothing in the archive store, nor on the volume of the bot', async () => {
    await starts(['one', 'two']);
    await volume.archives.putChoice('{"snapshot":"a1/s1","requestId":"r"}');
    const [store, the0] = [await treeOf(volume.storePath), await treeOf(volume.the0Path)];
    await view(NEWEST);
    await view({ kind: 'time', at: 60_000 });
    await view({ kind: 'snapshot', snapshot: { attempt: 1, sequence: 1 } });
    expect([await treeOf(volume.storePath), await treeOf(volume.the0Path)]).toEqual([store, the0]);
  });
  it('leaves a copy that is read-only, as a volume would be', async () => {
    await starts(['one']);
    const { statePath } = await view(NEWEST);
    const modes = async (...paths: string[]): Promise<string[]> =>
      Promise.all(paths.map(async (path) => ((await stat(join(statePath, path))).mode & 0o777).toString(8)));
    expect(await modes('.', '.the0-state', KEY, 'deep/er', 'deep/er/file')).toEqual([
      '555',
      '555',
      '444',
      '555',
      '444',
    ]);
    const nothing = await view(NEWEST, { incarnation: 7 });
    expect(((await stat(nothing.statePath)).mode & 0o777).toString(8)).toBe('555');
  });
  it('takes its keys from the question, else from where they were delivered; without any it fails', async () => {
    const accessFile = join(place, 'access.json');
    const asked: unknown[] = [];
    const doJob = createJobs({
      accessFile,
      open: () => Promise.reject(new Error('no worker is needed')),
      view: (source, access) => {
        asked.push([source, access]);
        return Promise.resolve('none');
      },
    });
    const given = { kind: 'folder', path: '/given' } as const;
    expect(await doJob({ kind: 'view', source: NEWEST })).toMatchObject({ error: { code: 'STORAGE_UNAVAILABLE' } });
    expect(await doJob({ kind: 'view', source: NEWEST, access: given })).toEqual({ kind: 'view', state: 'none' });
    await writeFile(accessFile, '{"kind":"folder","path":"/delivered"}');
    await doJob({ kind: 'view', source: NEWEST });
    expect(asked).toEqual([
      [NEWEST, given],
      [NEWEST, { kind: 'folder', path: '/delivered' }],
    ]);
  });
});
