/** ScheduleService with a scripted engine and a clock of the test's own: what it makes of policies and requests (D4–D18). */
import { afterEach, describe, expect, it } from 'vitest';
import { DroverError } from '../../src/domain/errors.ts';
import { slotKey } from '../../src/domain/run-key.ts';
import { createScheduleFleet, type FleetOptions, type ScheduleFleet } from '../support/schedule-fleet.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1, 0, 0, 30);
const MINUTELY = '* * * * *';

let fleet: ScheduleFleet;
afterEach(() => fleet.close());
const open = async (options: Partial<FleetOptions> = {}): Promise<void> => {
  fleet = await createScheduleFleet({ startsAt: START, ...options });
};
const minutes = (count: number): Promise<void> => fleet.until(START + count * MINUTE);
const statuses = async (id: string): Promise<readonly string[]> => (await fleet.runs(id)).map(({ status }) => status);
const shown = (id: string) => fleet.drover().schedules.view.get(id);
const healthy = (id: string) => shown(id)?.conditions.find(({ type }) => type === 'ScheduleHealthy');
const events = (id: string): readonly string[] =>
  fleet.told.filter(({ kind, botId }) => kind === 'schedule' && botId === id).map(({ event }) => event.type);

describe('R3: a document that makes no sense', () => {
  it('is told by ScheduleHealthy=False, and the others run', async () => {
    await open();
    await fleet.put('broken', { schedule: '0 0 31 2 *' });
    await fleet.put('nowhere', { schedule: MINUTELY, drover: { timeZone: 'Mars/Base' } });
    await fleet.putRaw('nonsense', 7);
    await fleet.put('fine', { schedule: MINUTELY });
    await minutes(2);
    expect(healthy('broken')).toMatchObject({ status: 'False', reason: 'ScheduleInvalid' });
    expect(healthy('nowhere')).toMatchObject({ status: 'False' });
    expect(healthy('nonsense')).toMatchObject({ status: 'False', reason: 'DocumentInvalid' });
    expect(await statuses('fine')).toEqual(['succeeded', 'succeeded']);
    expect(healthy('fine')).toMatchObject({ status: 'True' });
  });
  it('that is broken later starts no slot, and goes on when it is mended', async () => {
    await open();
    await fleet.put('s', { schedule: MINUTELY });
    await minutes(1);
    await fleet.put('s', { schedule: 'now and then' });
    await minutes(3);
    expect(await statuses('s')).toHaveLength(1);
    await fleet.put('s', { schedule: MINUTELY });
    await minutes(4);
    expect((await statuses('s')).length).toBeGreaterThan(1);
    expect(healthy('s')).toMatchObject({ status: 'True' });
  });
});

describe('retries (D13)', () => {
  it('k failures and then success are one run with k + 1 tries', async () => {
    await open({ endsWith: (_id, attempt) => (attempt % 3 === 0 ? 0 : 9) });
    await fleet.put('s', { schedule: '0 * * * *', drover: { retries: 2, retryFirstSeconds: 5 } });
    await fleet.until(START + HOUR);
    expect(await fleet.runs('s')).toMatchObject([{ status: 'succeeded', attempts: 3, exitCode: 0 }]);
  });
  it('are used up: one failed run, told with its exit code', async () => {
    await open({ endsWith: () => 9 });
    await fleet.put('s', { schedule: '0 * * * *', drover: { retries: 2, retryFirstSeconds: 5 } });
    await fleet.until(START + HOUR);
    expect(await fleet.runs('s')).toMatchObject([
      { status: 'failed', attempts: 3, exitCode: 9, exitClass: 'appError' },
    ]);
    expect(healthy('s')).toMatchObject({ status: 'False', reason: 'RunFailed' });
  });
  it('of a start that failed are made at once, as for bots: nothing has run yet', async () => {
    let refusals = 1;
    await open({
      wrap: (engine, role) =>
        role === 'bot'
          ? engine
          : {
              ...engine,
              ensureContainer: (plan) =>
                refusals-- > 0 ? Promise.reject(new DroverError('ENGINE_ERROR', 'busy')) : engine.ensureContainer(plan),
            },
    });
    await fleet.put('s', { schedule: MINUTELY });
    await minutes(1);
    const [run] = await fleet.runs('s');
    expect(run).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(run?.latenessMs).toBeLessThan(2_000);
  });
  it('end when the next slot comes, whose run is a new try', async () => {
    await open({ endsWith: (id) => (id.endsWith(slotKey(START + 30_000)) ? 9 : 0) });
    await fleet.put('s', { schedule: MINUTELY, drover: { retries: 5, retryFirstSeconds: 300, retryMaxSeconds: 300 } });
    await minutes(2);
    expect(await fleet.runs('s')).toMatchObject([
      { status: 'failed', stopReason: 'nextSlot', attempts: 1, exitCode: 9 },
      { status: 'succeeded', attempts: 1 },
    ]);
  });
});

describe('pauses', () => {
  it('D8: until an instant; slots meanwhile are told as paused, and it goes on by itself', async () => {
    await open();
    await fleet.put('s', { schedule: MINUTELY });
    await minutes(1);
    await fleet.ask('s', { kind: 'pause', until: START + 4 * MINUTE, reason: 'maintenance' });
    await minutes(3);
    expect(shown('s')).toMatchObject({ state: 'paused', paused: { author: 'test', note: 'maintenance' } });
    expect(healthy('s')).toMatchObject({ status: 'False', reason: 'Paused' });
    await minutes(6);
    expect(shown('s')?.state).toBe('armed');
    expect(await statuses('s')).toHaveLength(3);
    const passed = fleet.told.flatMap(({ event }) => (event.type === 'SlotsPassed' ? [event] : []));
    expect(passed.map(({ reason, count }) => [reason, count])).toEqual([['paused', 3]]);
  });
  it('D17: by itself after failures in a row, with one notice', async () => {
    const notices: unknown[] = [];
    const note = () => undefined;
    await open({
      endsWith: () => 1,
      logger: { debug: note, info: note, error: note, warn: (_message, fields) => void notices.push(fields) },
    });
    await fleet.put('s', { schedule: MINUTELY, drover: { pauseAfterFailures: 2 } });
    await minutes(5);
    expect(await statuses('s')).toEqual(['failed', 'failed']);
    expect(shown('s')).toMatchObject({ state: 'paused', paused: { author: 'drover' } });
    expect(notices.filter((one) => (one as { reason?: unknown }).reason === 'PausedItself')).toHaveLength(1);
    await fleet.ask('s', { kind: 'resume' });
    await minutes(7);
    expect((await statuses('s')).length).toBeGreaterThan(2);
  });
});

describe('lateness', () => {
  it('D18: later than allowed sets ScheduleHealthy=False(Late) and is told once, until it was on time again', async () => {
    const notices: unknown[] = [];
    const note = () => undefined;
    await open({
      logger: { debug: note, info: note, error: note, warn: (_message, fields) => void notices.push(fields) },
    });
    const late = () => notices.filter((one) => (one as { reason?: unknown }).reason === 'Late').length;
    await fleet.put('s', { schedule: MINUTELY, drover: { maxLatenessSeconds: 1 } });
    await minutes(1);
    expect([healthy('s')?.reason, late()]).toEqual(['AsWished', 0]);
    for (let times = 0; times < 2; times += 1) {
      // To three seconds after the next slot.
      await fleet.jump(MINUTE - ((fleet.now() - START + 30_000) % MINUTE) + 3_000);
      expect(healthy('s')).toMatchObject({ status: 'False', reason: 'Late' });
      expect(late()).toBe(1);
    }
    expect((await fleet.runs('s')).at(-1)).toMatchObject({ trigger: 'slot', late: true });
    await fleet.until(fleet.now() + MINUTE);
    expect(healthy('s')).toMatchObject({ status: 'True' });
    await fleet.jump(MINUTE);
    expect(late()).toBe(2);
    const { lateness } = fleet.drover().schedules.view.metrics();
    expect(lateness.count).toBe((await fleet.runs('s')).length);
  });
});

describe('commands', () => {
  it('D9: trigger now, also while it is paused; its key is that of the command', async () => {
    await open();
    await fleet.put('s', { schedule: '@yearly' });
    await fleet.ask('s', { kind: 'trigger', requestId: 'r-1' });
    await fleet.settle();
    await fleet.ask('s', { kind: 'trigger', requestId: 'r-1' });
    await fleet.settle();
    expect(await fleet.runs('s')).toMatchObject([
      { key: 'c-r-1', trigger: 'manual', status: 'succeeded', actor: 'test' },
    ]);
  });
  it('D9: a backfill of 24 slots runs 24, each with its own slot; what ran is refused, unless asked for again', async () => {
    await open();
    const from = START - 30_000 - 24 * HOUR;
    await fleet.put('s', { schedule: '0 * * * *' });
    await fleet.ask('s', { kind: 'backfill', from, to: from + 23 * HOUR, again: false });
    await fleet.settle();
    const runs = await fleet.runs('s');
    expect(runs).toHaveLength(24);
    expect(runs.map(({ scheduledAt }) => scheduledAt)).toEqual(Array.from({ length: 24 }, (_, n) => from + n * HOUR));
    expect(new Set(runs.map(({ status, trigger }) => `${trigger} ${status}`))).toEqual(new Set(['backfill succeeded']));
    await fleet.ask('s', { kind: 'backfill', from, to: from + HOUR, again: false });
    await fleet.settle();
    expect(events('s').at(-1)).toBe('RequestRefused');
    await fleet.ask('s', { kind: 'backfill', from, to: from + HOUR, again: true, requestId: 'again' });
    await fleet.settle();
    expect((await fleet.runs('s')).slice(24).map(({ key }) => key)).toEqual(['c-again-0', 'c-again-1']);
  });
});

describe('history', () => {
  it('D11: the list keeps the newest of each outcome; pruning is an event, and the log keeps all', async () => {
    await open({ endsWith: (id) => (Number(/T\d\d(\d\d)/.exec(id)?.[1]) % 2 === 0 ? 0 : 3) });
    await fleet.put('s', { schedule: MINUTELY, drover: { keepSucceeded: 2, keepFailed: 1 } });
    await minutes(9);
    expect(events('s')).toContain('RunsForgotten');
    const { history } = fleet.drover().schedules;
    const listed = await history.list('s', { limit: 100, all: false });
    expect(listed.runs.filter(({ status }) => status === 'succeeded')).toHaveLength(2);
    expect(listed.runs.filter(({ status }) => status === 'failed')).toHaveLength(1);
    const all = await fleet.runs('s');
    expect(all).toHaveLength(9);
    expect(await history.get('s', all[0]?.key ?? '')).toMatchObject({ key: all[0]?.key, status: 'failed' });
  });
  it('is read in pages', async () => {
    await open();
    await fleet.put('s', { schedule: MINUTELY });
    await minutes(7);
    const { history } = fleet.drover().schedules;
    const keys: string[] = [];
    for (let before: number | undefined; ;) {
      const page = await history.list('s', { limit: 3, all: false, ...(before === undefined ? {} : { before }) });
      keys.push(...page.runs.map(({ key }) => key));
      before = page.next;
      if (before === undefined) break;
    }
    expect(keys).toEqual((await fleet.runs('s')).map(({ key }) => key).reverse());
    expect(keys).toHaveLength(7);
  });
});

describe('what is wished', () => {
  it('enabled again it does not fire at once', async () => {
    await open();
    await fleet.put('s', { schedule: '0 * * * *' });
    await fleet.put('s', { schedule: '0 * * * *', enabled: false });
    await fleet.until(START + 2 * HOUR);
    await fleet.put('s', { schedule: '0 * * * *' });
    await fleet.settle();
    expect(await fleet.runs('s')).toEqual([]);
    await fleet.until(START + 3 * HOUR);
    expect(await statuses('s')).toEqual(['succeeded']);
  });
  it.each(['disabled', 'removed'])(
    '%s while it runs: the container is stopped, and the run has its end',
    async (how) => {
      await open({ endsWith: () => undefined });
      await fleet.put('s', { schedule: MINUTELY });
      await minutes(1);
      expect(await statuses('s')).toEqual(['running']);
      if (how === 'removed') await fleet.remove('s');
      else await fleet.put('s', { schedule: MINUTELY, enabled: false });
      await minutes(2);
      const [run] = fleet.told.flatMap(({ event }) => (event.type === 'RunEnded' ? [event] : []));
      expect(run).toMatchObject({ outcome: 'stopped', exitClass: 'stoppedByUs' });
      expect(await fleet.engine.engine.list()).toEqual([]);
      expect(shown('s')?.state).toBe(how === 'removed' ? 'deleted' : 'disabled');
    },
  );
  it('R15: a spec changed while a run goes on lets it go on; the next one has the new spec', async () => {
    await open({ endsWith: () => undefined });
    await fleet.put('s', { schedule: MINUTELY, config: { a: 1 } });
    await minutes(1);
    const [first] = await fleet.engine.engine.list();
    await fleet.put('s', { schedule: MINUTELY, config: { a: 2 } });
    await minutes(3);
    expect(await fleet.engine.engine.list()).toMatchObject([{ ref: first?.ref }]);
    await fleet.exit(first?.botId ?? '', 0);
    await minutes(6);
    const [second] = await fleet.engine.engine.list();
    expect(second?.specHash).not.toBe(first?.specHash);
  });
  it('the id of a realtime bot is refused: two things under one id would share their state', async () => {
    await open();
    const document = { id: 's' };
    await fleet.putBot('s', document);
    await fleet.put('s', { schedule: MINUTELY });
    await minutes(2);
    expect(await fleet.runs('s')).toEqual([]);
    expect(healthy('s')).toMatchObject({ status: 'False', reason: 'BotIdInvalid' });
  });
  it('a drain of the fleet stops runs and slots; undone, slots count from then on', async () => {
    await open({ endsWith: () => undefined });
    await fleet.put('s', { schedule: MINUTELY });
    await minutes(1);
    expect(await statuses('s')).toEqual(['running']);
    await fleet.drain(true);
    await expect.poll(() => shown('s')?.state).toBe('disabled');
    await minutes(5);
    expect(await statuses('s')).toEqual(['stopped']);
    expect(await fleet.engine.engine.list()).toEqual([]);
    await fleet.drain(false);
    await expect.poll(() => shown('s')?.state).toBe('armed');
    await fleet.settle();
    expect(await statuses('s')).toEqual(['stopped']);
    await minutes(6);
    expect(await statuses('s')).toEqual(['stopped', 'running']);
  });
  it('an emptied store stops no run: nothing happens before an operator confirms it', async () => {
    await open({ endsWith: () => undefined, resyncIntervalMs: 20_000 });
    const ids = Array.from({ length: 6 }, (_, n) => `s${String(n)}`);
    for (const id of ids) await fleet.put(id, { schedule: MINUTELY });
    await minutes(1);
    expect(await fleet.engine.engine.list()).toHaveLength(6);
    fleet.hide(ids);
    const { guard } = fleet.drover();
    await minutes(2);
    expect(guard.suspicion()?.botIds.length).toBe(6);
    await minutes(4);
    expect(await fleet.engine.engine.list()).toHaveLength(6);
    expect(ids.map((id) => shown(id)?.state)).toEqual(ids.map(() => 'armed'));
    expect(
      await guard.confirm({ requestId: 'r', actor: 'ann', action: 'confirm-removal', at: fleet.now() }),
    ).toHaveLength(6);
    await minutes(5);
    expect(ids.map((id) => shown(id)?.state)).toEqual(ids.map(() => 'deleted'));
    expect(await fleet.engine.engine.list()).toEqual([]);
  });
  it('next_execution_time follows the slots', async () => {
    await open();
    await fleet.put('s', { schedule: '0 * * * *' });
    await fleet.settle();
    expect(fleet.noted('s')).toBe(Date.UTC(2026, 0, 1, 1) / 1_000);
    await fleet.until(START + HOUR);
    expect(fleet.noted('s')).toBe(Date.UTC(2026, 0, 1, 2) / 1_000);
  });
});
