/** Where a start takes its state from, and that nothing is lost on the way (features E1, E4, E11). */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SnapshotId } from '../../src/domain/sync-report.ts';
import { away, openStateVolume, type StateVolume } from '../support/state-volume.ts';

let volume: StateVolume;
beforeEach(async () => {
  volume = await openStateVolume();
});
afterEach(() => volume.close());

const KEY = '.the0-state/x.json';

/** One start after the other, each of which stores another value of the key. */
const starts = async (count: number, from = 1): Promise<void> => {
  for (let attempt = from; attempt < from + count; attempt += 1) {
    const keeper = volume.keeper({ attempt });
    await keeper.restore();
    await volume.write({ [KEY]: String(attempt) });
    await keeper.sync({ final: true });
  }
};
const choose = (snapshot: string, requestId: string, incarnation = 1): Promise<void> =>
  volume.archives.putChoice(JSON.stringify({ snapshot, requestId, incarnation }));
const manifestOf = async (id: SnapshotId): Promise<Record<string, unknown>> =>
  JSON.parse((await volume.archives.manifest(id)) ?? '{}') as Record<string, unknown>;
const kinds = async (): Promise<unknown[]> =>
  Promise.all((await volume.archives.list()).map(async (id) => (await manifestOf(id))['kind']));

describe('a choice of the operator', () => {
  it('of the oldest snapshot that is kept is still there when it is wanted', async () => {
    await starts(10);
    await volume.write({ [KEY]: 'not stored yet' });
    await choose('a1/s1', 'r1');
    const report = await volume.keeper({ attempt: 11 }).restore();
    expect(report).toMatchObject({ source: 'chosen' });
    expect(await volume.tree()).toMatchObject({ [KEY]: '1' });
    const former = report.former ?? { attempt: 0, sequence: 0 };
    expect(await manifestOf(former)).toMatchObject({ kind: 'former' });
  });
  it('is still there when the bot goes on storing before its next start', async () => {
    await starts(10);
    await choose('a1/s1', 'r1');
    await starts(0);
    const running = volume.keeper({ attempt: 10 });
    for (const word of ['a', 'b', 'c']) {
      await volume.write({ [KEY]: word });
      await running.sync({ final: false });
    }
    await volume.keeper({ attempt: 11 }).restore();
    expect(await volume.tree()).toMatchObject({ [KEY]: '1' });
  });
  it('is followed once, even when the start broke off before it was taken away, and the volume is lost later', async () => {
    await starts(3);
    await choose('a1/s1', 'r1');
    const brokenOff = { ...volume.archives, dropChoice: () => Promise.reject(new Error('killed')) };
    await volume.keeper({ attempt: 4, archives: brokenOff }).restore();
    await starts(2, 5);
    await volume.dropVolumes();
    await volume.keeper({ attempt: 7 }).restore();
    expect(await volume.tree()).toMatchObject({ [KEY]: '6' });
  });
  it('of an earlier incarnation is not followed by the next one', async () => {
    await starts(2);
    await choose('a1/s1', 'r1');
    await volume.dropVolumes();
    expect(await volume.keeper({ attempt: 3, incarnation: 2 }).restore()).toMatchObject({ source: 'none' });
    expect(await volume.tree()).toEqual({});
  });
  it('does not lose what others wrote into state.tar.gz', async () => {
    await starts(2);
    await writeFile(join(volume.storePath, 'state/state.tar.gz'), 'an edit');
    await choose('a1/s1', 'r1');
    await volume.keeper({ attempt: 3 }).restore();
    expect(await volume.tree()).toMatchObject({ [KEY]: '1' });
    expect(await readFile(join(volume.storePath, 'state/earlier-state.tar.gz'), 'utf8')).toBe('an edit');
    expect((await volume.archives.legacy())?.snapshot).toBeDefined();
  });
});

describe('R35: a damaged newest snapshot', () => {
  it('is tried again and again without a new snapshot each time, and the older ones stay', async () => {
    await starts(10);
    const newest = (await volume.archives.list()).at(-1) ?? { attempt: 0, sequence: 0 };
    await rm(join(volume.the0Path, 'state-marker.json'));
    await volume.write({ [KEY]: 'on the volume alone' });
    await volume.archives.putManifest(newest, JSON.stringify({ ...(await manifestOf(newest)), sha256: '00' }));
    const before = await volume.archives.list();
    for (let attempt = 11; attempt < 16; attempt += 1) {
      await expect(volume.keeper({ attempt }).restore()).rejects.toMatchObject({ code: 'STATE_RESTORE_FAILED' });
    }
    expect((await volume.archives.list()).length - before.length).toBeLessThanOrEqual(1);
    expect((await volume.archives.list()).at(0)).toEqual(before.at(0));
    expect(await volume.tree()).toMatchObject({ [KEY]: 'on the volume alone' });
  });
  it('is no harm while the volume is as new', async () => {
    await starts(2);
    const newest = (await volume.archives.list()).at(-1) ?? { attempt: 0, sequence: 0 };
    await volume.archives.putManifest(newest, '{"schema":2}');
    expect(await volume.keeper({ attempt: 3 }).restore()).toMatchObject({ source: 'volume' });
  });
});

describe('a volume', () => {
  it('whose restore broke off is never stored', async () => {
    await starts(1);
    const marker = join(volume.the0Path, 'state-marker.json');
    const text = JSON.parse(await readFile(marker, 'utf8')) as object;
    await writeFile(marker, JSON.stringify({ ...text, phase: 'restoring' }));
    await rm(join(volume.statePath, KEY));
    await expect(volume.keeper({ attempt: 1 }).sync({ final: true })).rejects.toThrow();
    expect(await kinds()).toEqual(['state']);
  });
  it('that is older than the newest snapshot is never stored over it', async () => {
    await starts(1);
    const elsewhere = await openStateVolume(volume.archives);
    const other = elsewhere.keeper({ attempt: 2 });
    await other.restore();
    await elsewhere.write({ [KEY]: 'newer' });
    await other.sync({ final: true });
    await elsewhere.close();
    await volume.write({ [KEY]: 'older' });
    await expect(volume.keeper({ attempt: 3 }).sync({ final: true })).rejects.toThrow();
    await volume.keeper({ attempt: 3 }).restore();
    expect(await volume.tree()).toMatchObject({ [KEY]: 'newer' });
  });
  it('is what a start takes without the archive store, and nothing else is', async () => {
    await starts(1);
    await volume.write({ [KEY]: 'newer' });
    const report = await volume.keeper({ attempt: 2, archives: away() }).restore();
    expect(report).toMatchObject({ source: 'volume', storeReachable: false });
    await volume.dropVolumes();
    await expect(volume.keeper({ attempt: 3, archives: away() }).restore()).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
  });
});

describe('state that was cleared', () => {
  it('stays cleared, also when it came from the archive of the reference', async () => {
    await starts(1);
    await volume.dropVolumes();
    for (const id of await volume.archives.list()) await volume.archives.remove(id);
    const keeper = volume.keeper({ attempt: 2 });
    expect(await keeper.restore()).toMatchObject({ source: 'archive' });
    await rm(join(volume.statePath, '.the0-state'), { recursive: true });
    await keeper.sync({ final: true });
    await volume.dropVolumes();
    await volume.keeper({ attempt: 3 }).restore();
    expect(await volume.tree()).toEqual({});
  });
});

describe('the archive of the reference’s readers', () => {
  it('that could not be replaced at the first sync does not win over newer snapshots later', async () => {
    await starts(1);
    await volume.dropVolumes();
    const archive = await readFile(join(volume.storePath, 'state/state.tar.gz'));
    await rm(join(volume.storePath, 'state'), { recursive: true });
    await volume.archives.putChoice('{}').then(() => volume.archives.dropChoice());
    await writeFile(join(volume.storePath, 'state/state.tar.gz'), archive);
    const killed = { ...volume.archives, promote: () => Promise.reject(new Error('killed')) };
    const keeper = volume.keeper({ attempt: 2, archives: killed });
    await keeper.restore();
    await volume.write({ [KEY]: 'newer' });
    await keeper.sync({ final: true }).catch(() => undefined);
    expect(await kinds()).toEqual(['state']);
    await volume.dropVolumes();
    expect((await volume.keeper({ attempt: 3 }).restore()).editedOutside).toBeUndefined();
    expect(await volume.tree()).toMatchObject({ [KEY]: 'newer' });
  });
  it('is brought up to date by the next sync after one that broke off', async () => {
    const killed = { ...volume.archives, promote: () => Promise.reject(new Error('killed')) };
    await volume.keeper().restore();
    await volume.write({ [KEY]: '1' });
    await volume
      .keeper({ archives: killed })
      .sync({ final: false })
      .catch(() => undefined);
    await volume.keeper().sync({ final: true });
    expect((await volume.archives.legacy())?.snapshot).toEqual((await volume.archives.list()).at(-1));
  });
});
