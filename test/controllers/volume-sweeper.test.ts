/** Volumes go with their bot, after a grace period and never with what was not stored (feature E10). */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { botVolumeOwner, createVolumeSweeper } from '../../src/controllers/volume-sweeper.ts';
import type { ListedVolume } from '../../src/ports/container-tools.ts';
import { given, log, present, stateAfter, T0 } from '../support/given.ts';
import { silentLogger } from '../support/silent-logger.ts';

const GRACE = 86_400_000;
const volume = (botId: string, incarnation = 1): ListedVolume => ({
  name: `${botId}-${String(incarnation)}`,
  botId,
  incarnation,
});

describe('the volume sweeper', () => {
  let time: number;
  let volumes: ListedVolume[];
  let folds: Map<string, { state: ReturnType<typeof stateAfter>; version: number }>;
  let sweep: () => Promise<void>;
  /** Volumes that a container mounts. */
  let inUse: Set<string>;
  let leftovers: number;

  const gone = { kind: 'gone' } as const;
  const asked = given(log.running).when({ desired: gone, observation: present() }).plan.events;
  const deletedUnsynced: BotEvent[] = [
    ...log.running,
    ...asked,
    ...given([...log.running, ...asked]).when({ desired: gone }).plan.events,
  ];
  const deleted: BotEvent[] = [...deletedUnsynced, { type: 'VolumeSynced', at: T0 + 2_000, attempt: 1 }];
  const is = (botId: string, events: readonly BotEvent[]): void => {
    folds.set(botId, { state: stateAfter(events), version: 1 });
  };

  beforeEach(() => {
    time = T0 + 10_000;
    folds = new Map();
    inUse = new Set();
    leftovers = 0;
    volumes = [volume('alpha')];
    sweep = createVolumeSweeper({
      engine: {
        listVolumes: () => Promise.resolve([...volumes]),
        removeLeftoverTools: () => {
          leftovers += 1;
          return Promise.reject(new Error('one of them is stuck'));
        },
        removeScratch: () => Promise.resolve(0),
        removeVolume: (name) => {
          if (inUse.has(name)) return Promise.reject(new Error('volume is in use'));
          volumes = volumes.filter((one) => one.name !== name);
          return Promise.resolve();
        },
      },
      ownerOf: botVolumeOwner({ folds: () => folds }),
      graceMs: GRACE,
      clock: {
        now: () => time,
        random: () => 0.5,
        monotonic: () => time,
        after: () => () => undefined,
        at: () => () => undefined,
      },
      logger: silentLogger,
    });
  });
  const sweepAt = async (at: number): Promise<string[]> => {
    time = at;
    await sweep();
    return volumes.map(({ name }) => name);
  };

  it('removes those of a deleted bot once the grace period is over', async () => {
    is('alpha', deleted);
    expect(await sweepAt(T0 + GRACE)).toEqual(['alpha-1']);
    expect(await sweepAt(T0 + GRACE + 120_000)).toEqual([]);
  });
  it('never removes what lies on a volume alone', async () => {
    is('alpha', deletedUnsynced);
    expect(await sweepAt(T0 + 100 * GRACE)).toEqual(['alpha-1']);
  });
  it('never removes those of a bot that is there, stopped or running', async () => {
    is('alpha', log.running);
    expect(await sweepAt(T0 + 100 * GRACE)).toEqual(['alpha-1']);
    is('alpha', log.created);
    expect(await sweepAt(T0 + 200 * GRACE)).toEqual(['alpha-1']);
  });
  it('never removes what the log does not know: the log may be the one that is lost', async () => {
    expect(await sweepAt(T0 + 100 * GRACE)).toEqual(['alpha-1']);
  });
  it('removes those of an earlier incarnation after the grace period from when that was seen', async () => {
    is('alpha', [...deleted, { type: 'BotCreated', at: T0 + 3_000, incarnation: 2 }]);
    volumes = [volume('alpha', 1), volume('alpha', 2), volume('alpha', 3)];
    expect(await sweepAt(T0 + 10 * GRACE)).toHaveLength(3);
    expect(await sweepAt(T0 + 11 * GRACE + 1)).toEqual(['alpha-2', 'alpha-3']);
  });
  it('case E9: removes the others when one cannot be removed, or the short-lived containers cannot', async () => {
    for (const id of ['alpha', 'beta', 'gamma']) is(id, deleted);
    volumes = [volume('alpha'), volume('beta'), volume('gamma')];
    inUse.add('alpha-1');
    expect(await sweepAt(T0 + 2 * GRACE)).toEqual(['alpha-1']);
    expect(leftovers).toBe(1);
    inUse.clear();
    expect(await sweepAt(T0 + 3 * GRACE)).toEqual([]);
  });
});
