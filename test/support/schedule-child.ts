/**
 * A controller of scheduled bots in a process of its own, which kills itself (SIGKILL) at the point that FAILPOINT names. Without
 * one it runs until SIGUSR2, lets each schedule come to a run of its own, lets all end, and exits.
 */
import { until } from '../../scripts/until.ts';
import type { NewCommit } from '../../src/domain/recorded.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import { startSpine } from './spine.ts';
import { scheduleSpine } from './schedule-spine.ts';
import { COUNTED, FAILS_WITH, PERIOD_MS, SCHEDULES, type Failpoint } from './schedule-kills.ts';

const TEXT = `*/${String(PERIOD_MS / 1_000)} * * * * *`;
const { DATA_DIR = '', INSTALL = '', FAILPOINT } = process.env;
const failpoint = FAILPOINT as Failpoint | undefined;

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
};
const dieAt = (point: Failpoint): void => {
  if (failpoint === point) die();
};
const holds = ({ stream, events }: NewCommit, prefix: string, type: string): boolean =>
  stream.startsWith(prefix) && events.some((event) => event.type === type);

const wrapRunEvents = (events: EventStore): EventStore => ({
  ...events,
  append: async (commit) => {
    if (holds(commit, 'schedule:', 'RunClaimed')) dieAt('before the claim');
    if (holds(commit, 'run:', 'ContainerExited')) dieAt('after the exit, before its record');
    const appended = await events.append(commit);
    if (holds(commit, 'schedule:', 'RunClaimed')) dieAt('after the claim');
    if (holds(commit, 'run:', 'ContainerStarted') && failpoint === 'mid-run') setTimeout(die, 300);
    return appended;
  },
});
const wrapRuns = (engine: Engine): Engine => ({
  ...engine,
  ensureContainer: async (plan) => {
    await engine.ensureContainer(plan);
    dieAt('after the create');
  },
});

const startedAt = Date.now();
const spine = await startSpine({
  dataDir: DATA_DIR,
  install: INSTALL,
  wrapRunEvents,
  wrapRuns,
  resyncIntervalMs: 2_000,
});
const schedules = scheduleSpine(spine);
for (const id of SCHEDULES) {
  // Disabled at the end of the round before.
  if (spine.drover.schedules.view.get(id)?.state === 'armed') continue;
  const code = COUNTED.replace('EXIT', id === FAILS_WITH.id ? String(FAILS_WITH.code) : '0');
  await schedules.deploy(id, { schedule: TEXT, drover: { missed: 'all' } }, code);
}
process.once('SIGUSR2', () => {
  void (async () => {
    const hasRun = async (id: string): Promise<boolean> =>
      (await schedules.runs(id)).some(({ claimedAt, endedAt }) => claimedAt >= startedAt && endedAt !== null);
    for (const id of SCHEDULES) await until(() => hasRun(id), { within: 120_000, every: 100 });
    for (const id of SCHEDULES) {
      await schedules.put(id, schedules.document(id, { schedule: TEXT, enabled: false }));
    }
    const isDone = async (): Promise<boolean> =>
      SCHEDULES.every((id) => {
        const shown = spine.drover.schedules.view.get(id);
        return shown?.state === 'disabled' && shown.runs.length === 0;
      }) && (await spine.containers()).every(({ Labels }) => Labels['drover.role'] !== 'run');
    await until(isDone, { within: 120_000, every: 100 });
    await spine.halt();
    process.exit(0);
  })();
});
// Whoever reads this may send the signal.
process.stdout.write('up\n');
