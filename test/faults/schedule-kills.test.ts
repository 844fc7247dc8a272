/**
 * Fault R21: the controller is killed at five points of a slot, with several schedules under way. One round a point and two
 * schedules in the usual run; five rounds of four make 20 cases of each.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeInstall } from '../../scripts/remove-install.ts';
import { watchStarts, type ContainerStarts } from '../support/container-starts.ts';
import { cases } from '../support/full.ts';
import {
  FAILPOINTS,
  FAILS_WITH,
  killedAt,
  PERIOD_MS,
  readLog,
  runs,
  SCHEDULES,
  type Life,
} from '../support/schedule-kills.ts';
import { docker } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

/** Runs whose container is alive. */
const runningNow = async (install: string): Promise<readonly string[]> => {
  const label = [`drover.install=${install}`, 'drover.role=run'];
  return (await docker.listContainers({ filters: { label } })).map(({ Id }) => Id);
};

const ROUNDS = cases(1, 5);

describe('R21: kill -9 during a cron slot', () => {
  let life: Life;
  let starts: ContainerStarts;
  beforeEach(async () => {
    life = {
      dataDir: await mkdtemp(join(tmpdir(), 'drover-kills-')),
      install: newInstall(),
    };
    starts = await watchStarts(life.install);
  });
  afterEach(async () => {
    starts.close();
    await removeInstall(docker, life.install);
    await rm(life.dataDir, { recursive: true, force: true });
  });

  it.each(FAILPOINTS)(
    '%s: one run a slot, the true exit code, the state of every run',
    async (failpoint) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await killedAt(life, failpoint);
        // Whatever goes on without a controller ends without one.
        await expect.poll(() => runningNow(life.install)).toEqual([]);
        await runs(life);
      }
      let started = 0;
      for (const id of SCHEDULES) {
        const { runs: all, passed, counts } = await readLog(life, id);
        const slots = [
          ...all.map(({ scheduledAt }) => scheduledAt),
          ...passed.flatMap(({ from, count }) => Array.from({ length: count }, (_, n) => from + n * PERIOD_MS)),
        ];
        // Each slot is claimed or passed once; between two rounds the schedule is disabled, and none is.
        expect(new Set(slots).size).toBe(slots.length);
        expect(all.length).toBeGreaterThanOrEqual(ROUNDS);
        // What was ended by the disabling, at the end of a round, may not have come to count. An engine that is still busy with
        // what the dead one asked may refuse a start up to the next slot: then nothing ran, and the record says why.
        const began = all.filter(({ startedAt }) => startedAt !== null);
        const refused = all.filter(({ startedAt, status }) => startedAt === null && status === 'failed');
        expect(refused.every(({ attempts, detail }) => attempts === 0 && detail !== null)).toBe(true);
        expect(refused.length).toBeLessThanOrEqual(ROUNDS);
        const ran = began.filter(({ status }) => status !== 'stopped');
        const code = id === FAILS_WITH.id ? FAILS_WITH.code : 0;
        expect(
          ran.map(({ exitCode }) => exitCode),
          JSON.stringify(ran),
        ).toEqual(ran.map(() => code));
        expect(ran.every(({ attempts, startedAt }) => attempts === 1 && startedAt !== null)).toBe(true);
        expect(counts).toEqual(counts.map((_, n) => n + 1));
        expect(counts.length).toBeGreaterThanOrEqual(ran.length);
        started += all.filter(({ attempts }) => attempts > 0).length;
      }
      expect([...starts.byName.values()].every((count) => count === 1)).toBe(true);
      expect(starts.byName.size).toBe(started);
      const left = await docker.listContainers({
        all: true,
        filters: { label: [`drover.install=${life.install}`, 'drover.role=run'] },
      });
      expect(left).toEqual([]);
    },
    120_000 + ROUNDS * 60_000,
  );
});
