/** Case E12, R14: an engine that is killed, or goes down with its host, takes its containers with it; none of them is to blame. */
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../scripts/until.ts';
import { startOwnEngine, type OwnEngine } from '../support/own-engine.ts';
import { scheduleSpine, type ScheduleSpine } from '../support/schedule-spine.ts';
import { startSpine, type Spine } from '../support/spine.ts';

const isRoot = process.getuid?.() === 0;

let engine: OwnEngine;
let spine: Spine;
let schedules: ScheduleSpine;
afterEach(async () => {
  await spine.halt();
  await engine.close();
});

const LONG = `exports.main = async () => { setInterval(() => {}, 1_000); await new Promise(() => {}); };`;

const begin = async (liveRestore = false): Promise<void> => {
  engine = await startOwnEngine({ liveRestore });
  spine = await startSpine({ host: engine.host, resyncIntervalMs: 1_000 });
  schedules = scheduleSpine(spine);
};
/** The same fleet, on the same data. */
const again = async (): Promise<void> => {
  const { install, dataDir } = spine;
  spine = await startSpine({ host: engine.host, resyncIntervalMs: 1_000, install, dataDir });
  schedules = scheduleSpine(spine);
};
const deployAll = async (): Promise<void> => {
  await spine.deploy('always', LONG);
  await spine.deploy('never', LONG, { config: { drover: { restartPolicy: 'never' } } });
  await schedules.deploy('daily', { schedule: '@yearly', drover: { pauseAfterFailures: 1 } }, LONG);
  await spine.reaches('always', 'running');
  await spine.reaches('never', 'running');
  await schedules.ask('daily', { kind: 'trigger', requestId: 'r1' });
  await runIs('running');
};
const runIs = (status: string, attempts = 1) =>
  until(
    async () => {
      const [run] = await schedules.runs('daily');
      return run?.status === status && run.attempts >= attempts ? run : undefined;
    },
    {
      within: 120_000,
      otherwise: async () => `the run is not ${status}: ${JSON.stringify(await schedules.runs('daily'))}`,
    },
  );
const expectBlameless = async (): Promise<void> => {
  for (const id of ['always', 'never']) {
    await spine.reaches(id, 'running', ({ restarts }) => restarts >= 1);
    expect(spine.drover.states.folds().get(id)?.state.context).toMatchObject({
      crashes: [],
      streak: 0,
      lastExit: { class: 'engineLost' },
    });
  }
  await runIs('running', 2);
  expect(await schedules.runs('daily')).toHaveLength(1);
  expect(spine.drover.schedules.view.get('daily')).toMatchObject({ state: 'armed', failuresInRow: 0 });
};

describe.skipIf(!isRoot)('case E12: the engine goes down', () => {
  it('case E12: killed with -9 during a run: all start again, the run in its slot, and nothing is counted', async () => {
    await begin();
    await deployAll();
    await engine.end('SIGKILL');
    await engine.start();
    await expectBlameless();
  }, 400_000);
  it('case E12: in order while drover is down, as at a reboot of the host: the same', async () => {
    await begin();
    await deployAll();
    await spine.halt();
    await engine.end('SIGTERM');
    await engine.start();
    await again();
    await expectBlameless();
  }, 400_000);
  it('case E12: with live restore, killed with -9: containers go on, and one that is killed by hand afterwards is a crash', async () => {
    await begin(true);
    await deployAll();
    const before = spine.bot('always')?.containerId ?? '';
    await engine.end('SIGKILL');
    await engine.start();
    await until(
      () =>
        spine.bot('always')?.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') === true
          ? true
          : undefined,
      { otherwise: () => 'not ready' },
    );
    expect(spine.bot('always')).toMatchObject({ state: 'running', containerId: before, restarts: 0 });
    await spine.halt();
    await engine.docker.getContainer(before).kill();
    await again();
    await spine.reaches('always', 'running', ({ restarts }) => restarts === 1);
    expect(spine.drover.states.folds().get('always')?.state.context).toMatchObject({
      lastExit: { class: 'killedByOthers' },
    });
    expect(await schedules.runs('daily')).toMatchObject([{ status: 'running', attempts: 1 }]);
  }, 400_000);
});
