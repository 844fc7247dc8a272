/** Faults of the archive store while bots run on a real engine with a real MinIO behind a proxy (R10–R12, R35). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SnapshotId } from '../../src/domain/sync-report.ts';
import { HAS } from '../support/servers-world.ts';
import { COUNTING, GOODBYE, KEEPING } from '../support/state-bots.ts';
import { openStorageWorld, type StorageWorld } from '../support/storage-world.ts';

let world: StorageWorld;
const conditionOf = (id: string, type: string) => world.spine.bot(id)?.conditions.find((one) => one.type === type);
const off = (id: string, config: object = {}) => world.spine.document(id, { config: { ...config, enabled: false } });

describe.skipIf(!HAS.minio)('the archive store', () => {
  beforeAll(async () => {
    world = await openStorageWorld();
  });
  afterAll(() => world.close());
  // Each test has bots of its own; those of the others would only take the machine's time.
  afterEach(async () => {
    world.proxy.restore();
    world.proxy.loseAnswers = 0;
    const { spine } = world;
    const left = spine.drover.states.list().filter(({ state }) => state !== 'stopped');
    await Promise.all(left.map(({ botId }) => spine.put(botId, off(botId))));
  });

  it('R10: away at the start of a bot: only one whose volume is the newest starts, and stops go on', async () => {
    const { spine } = world;
    await spine.deploy('kept', COUNTING);
    await spine.reaches('kept', 'running');
    await world.synced('kept');
    await spine.put('kept', off('kept'));
    await spine.reaches('kept', 'stopped');
    await spine.deploy('other', COUNTING);
    await spine.reaches('other', 'running');
    world.proxy.cut();
    await spine.put('kept', spine.document('kept'));
    await spine.reaches('kept', 'running');
    await expect.poll(() => conditionOf('kept', 'StateSynced')).toMatchObject({ status: 'Unknown' });
    await spine.put('other', off('other'));
    await spine.reaches('other', 'stopped');
    world.proxy.restore();
    await expect.poll(() => conditionOf('kept', 'StateSynced')?.status).toBe('True');
  });

  it('R10: away at the first start of a bot: StorageUnavailable, tried again for ever, and healed', async () => {
    const { spine } = world;
    await spine.deploy('waiting', COUNTING);
    await spine.reaches('waiting', 'running');
    await expect.poll(() => world.printed('waiting')).toMatch(/kept \d+/);
    await spine.put('waiting', off('waiting'));
    await spine.reaches('waiting', 'stopped', ({ unsynced }) => !unsynced);
    await world.dropVolumes('waiting');
    world.proxy.cut();
    await spine.put('waiting', spine.document('waiting'));
    await spine.reaches('waiting', 'failed.backingOff');
    expect(conditionOf('waiting', 'Degraded')?.reason).toMatch(/StorageUnavailable|ArchiveUnavailable/);
    const before = await world.newest('waiting');
    world.proxy.restore();
    await spine.reaches('waiting', 'running');
    await expect.poll(() => world.printed('waiting')).toMatch(/found \d+/);
    expect(before).toBeDefined();
  });

  it('R11: away during the periodic and the final sync: said, kept on the volume, and stored from there later', async () => {
    const { spine } = world;
    await spine.deploy('unlucky', COUNTING);
    await spine.reaches('unlucky', 'running');
    await world.synced('unlucky');
    world.proxy.cut();
    await expect.poll(() => conditionOf('unlucky', 'StateSynced')?.status).toBe('False');
    await spine.put('unlucky', off('unlucky'));
    const stopped = await spine.reaches('unlucky', 'stopped', ({ unsynced }) => unsynced);
    // As it was then: what is on the volume is tried again soon.
    const synced = stopped.conditions.find(({ type }) => type === 'StateSynced');
    expect(synced).toMatchObject({ status: 'False', reason: 'Unsynced' });
    const last = await world.onVolume('unlucky', '.the0-state/count.json');
    world.proxy.restore();
    await spine.reaches('unlucky', 'stopped', ({ unsynced }) => !unsynced);
    expect(spine.events('unlucky')).toContain('VolumeSynced');
    expect(await world.inStore('unlucky', '.the0-state/count.json')).toBe(last);
    expect(stopped.containerId).toBeNull();
  });

  it('R12: answers in the middle are lost: no partial snapshot is seen, no upload is left unfinished', async () => {
    const { spine } = world;
    world.proxy.loseAnswers = 0.05;
    await spine.deploy('shaky', COUNTING);
    await spine.reaches('shaky', 'running');
    await world.synced('shaky');
    for (let n = 0; n < 5; n += 1) {
      const [oldest] = await world.snapshots('shaky');
      if (oldest !== undefined) await world.verify('shaky', oldest);
    }
    world.proxy.loseAnswers = 0;
    await spine.put('shaky', off('shaky'));
    await spine.reaches('shaky', 'stopped', ({ unsynced }) => !unsynced);
    for (const snapshot of await world.snapshots('shaky')) await world.verify('shaky', snapshot);
    expect(await world.unfinishedUploads('shaky')).toEqual([]);
  });

  it.each([
    ['bytes are flipped', 'flip'],
    ['its end is missing', 'truncate'],
    ['its object is gone', 'remove'],
    ['its manifest is of a newer schema', 'schema'],
  ] as const)('R35: a newest snapshot where %s starts nothing, and an older one can be chosen', async (_what, how) => {
    const { spine } = world;
    const id = `hurt-${how}`;
    await spine.deploy(id, GOODBYE);
    await spine.reaches(id, 'running');
    await expect.poll(() => world.inStore(id, '.the0-state/word.json')).toBe('hello');
    await spine.put(id, off(id));
    await spine.reaches(id, 'stopped', ({ unsynced }) => !unsynced);
    expect(await world.inStore(id, '.the0-state/word.json')).toBe('goodbye');
    const all = await world.snapshots(id);
    const good = await world.holding(id, '.the0-state/word.json', 'hello');
    await world.damage(id, all.at(-1) as SnapshotId, how);
    await world.dropVolumes(id);
    await spine.put(id, spine.document(id));
    await spine.reaches(id, 'failed.exhausted');
    expect(conditionOf(id, 'Degraded')?.reason).toBe('StateRestoreFailed');
    const { requestId } = world.asked();
    await spine.drover.stateSnapshots.choose(id, good, { ...world.asked(), requestId });
    await spine.reaches(id, 'running');
    await expect.poll(() => world.printed(id)).toContain('found hello');
  });

  it('an outside edit of state.tar.gz wins at the next start; what it replaced can be had back', async () => {
    const { spine } = world;
    await spine.deploy('edited', KEEPING, { config: { word: 'ours' } });
    await spine.reaches('edited', 'running');
    await world.synced('edited');
    await spine.put('edited', off('edited'));
    await spine.reaches('edited', 'stopped', ({ unsynced }) => !unsynced);
    await world.editOutside('edited', { '.the0-state/word.json': 'theirs' });
    await spine.put('edited', spine.document('edited'));
    await spine.reaches('edited', 'running', ({ attempt }) => attempt > 1);
    await expect.poll(() => world.printed('edited')).toContain('found theirs');
    await expect.poll(() => spine.events('edited')).toContain('StateEditedOutside');
    expect(await world.holding('edited', '.the0-state/word.json', 'ours')).toBeDefined();
  });
});
