/** Scheduled bots on the real engine: each slot one run, with its state, its log and a record that stays. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker, startSpine, type Spine } from '../support/spine.ts';
import { scheduleSpine, type ScheduleSpine } from '../support/schedule-spine.ts';

const SLEEPING = `exports.main = async () => {
  process.on('SIGTERM', () => { console.log('ended gracefully'); process.exit(0); });
  console.log('begun'); setInterval(() => undefined, 1_000); await new Promise(() => {}); };`;
const FAILING = `exports.main = async () => { console.log('attempt'); process.exit(7); };`;

describe('a scheduled bot', () => {
  let spine: Spine;
  let schedules: ScheduleSpine;
  beforeAll(async () => {
    spine = await startSpine();
    schedules = scheduleSpine(spine);
  });
  afterAll(() => spine.end());
  const containersOf = async (id: string) =>
    (await spine.containers()).filter(({ Labels }) => Labels['runtime.id'] === id && Labels['drover.role'] === 'run');
  const containers = async (id: string): Promise<number> => (await containersOf(id)).length;
  const printed = async (id: string): Promise<string> => {
    const [container] = await containersOf(id);
    if (container === undefined) return '';
    return (await docker.getContainer(container.Id).logs({ stdout: true, stderr: true })).toString();
  };

  it('runs once in each slot, to its end, with SCHEDULED_AT and the state of the run before', async () => {
    await schedules.deploy('counter', { schedule: '*/5 * * * * *' });
    await schedules.ended('counter', 3);
    await schedules.set('counter', { enabled: false });
    await expect.poll(() => spine.drover.schedules.view.get('counter')?.state).toBe('disabled');
    const runs = await schedules.runs('counter');
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['succeeded']));
    // A run that lasts longer than the period, on a busy machine, lets a slot pass: told, not lost.
    const { passed } = await spine.drover.schedules.history.list('counter', { limit: 100, all: true });
    const skipped = passed.flatMap(({ from, count }) => Array.from({ length: count }, (_, n) => from + n * 5_000));
    const slots = [...runs.map(({ scheduledAt }) => scheduledAt), ...skipped].sort((a, b) => a - b);
    expect(slots).toEqual(slots.map((_, n) => (slots[0] ?? 0) + n * 5_000));
    const said = runs.map((run) => schedules.lastWords(run));
    expect(said).toEqual(
      runs.map(({ scheduledAt }, n) => `slot ${new Date(scheduledAt).toISOString()} count ${String(n + 1)}`),
    );
    // State of each run is stored, as that of a bot is, and can be chosen for the next one.
    const { snapshots } = (await spine.drover.stateSnapshots.list('counter')) as { snapshots: readonly unknown[] };
    expect(snapshots.length).toBeGreaterThanOrEqual(3);
    // What a run left is gone with it; what it was is not.
    await expect.poll(() => containers('counter')).toBe(0);
    const [first] = runs;
    expect(await spine.drover.schedules.history.get('counter', first?.key ?? '')).toEqual(first);
    expect(first?.latenessMs).toBeGreaterThanOrEqual(0);
  });

  it('disabled while it runs: it is stopped gracefully, its state is synced, and no slot follows', async () => {
    await schedules.deploy('long', { schedule: '*/2 * * * * *' }, SLEEPING);
    await expect.poll(async () => (await schedules.runs('long'))[0]?.status).toBe('running');
    // Its container runs; a moment later its own code does.
    await expect.poll(() => printed('long')).toContain('begun');
    await schedules.set('long', { enabled: false });
    const [run] = await schedules.ended('long', 1);
    expect(run).toMatchObject({ status: 'stopped', exitClass: 'stoppedByUs', stopReason: 'disabled' });
    expect(run && schedules.lastWords(run)).toBe('ended gracefully');
    await expect.poll(() => containers('long')).toBe(0);
  });

  it('removed while it runs: stopped too, and the schedule is deleted', async () => {
    await schedules.deploy('gone', { schedule: '*/2 * * * * *' }, SLEEPING);
    await expect.poll(async () => (await schedules.runs('gone'))[0]?.status).toBe('running');
    await schedules.remove('gone');
    await expect.poll(() => spine.drover.schedules.view.get('gone')?.state).toBe('deleted');
    expect(await schedules.runs('gone')).toMatchObject([{ status: 'stopped', stopReason: 'deleted' }]);
    await expect.poll(() => containers('gone')).toBe(0);
  });

  it('failing: tried again as often as it may, one record, the true exit code (D13)', async () => {
    await schedules.deploy('fails', { schedule: '@yearly', drover: { retries: 1, retryFirstSeconds: 0.2 } }, FAILING);
    await expect.poll(() => spine.drover.schedules.view.get('fails')?.state).toBe('armed');
    await schedules.ask('fails', { kind: 'trigger', requestId: 'now' });
    const [run] = await schedules.ended('fails', 1);
    expect(run).toMatchObject({ key: 'c-now', status: 'failed', attempts: 2, exitCode: 7, exitClass: 'appError' });
  });

  it('that takes too long is stopped (pitfall 55)', async () => {
    await schedules.deploy('slow', { schedule: '@yearly', drover: { maxRunSeconds: 1 } }, SLEEPING);
    await expect.poll(() => spine.drover.schedules.view.get('slow')?.state).toBe('armed');
    await schedules.ask('slow', { kind: 'trigger', requestId: 'now' });
    const [run] = await schedules.ended('slow', 1);
    expect(run).toMatchObject({ status: 'timedOut', stopReason: 'timedOut' });
  });

  it('whose code is not there fails at its next slot with the reason, and runs when it is', async () => {
    await schedules.put('late', schedules.document('late', { schedule: '*/3 * * * * *' }));
    const [first] = await schedules.ended('late', 1);
    expect(first).toMatchObject({ status: 'failed', attempts: 0, stopReason: 'nextSlot' });
    expect(first?.detail).toContain('there is no code archive');
    await schedules.deploy('late', { schedule: '*/3 * * * * *' });
    await expect
      .poll(async () => (await schedules.runs('late')).some(({ status }) => status === 'succeeded'))
      .toBe(true);
    await schedules.set('late', { enabled: false });
  });
});
