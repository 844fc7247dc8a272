/** Faults R41 and R42 on the real engine: many slots at once, and runs that are longer than their period. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/domain/scheduled-bot.ts';
import { cases } from '../support/full.ts';
import { startSpine, type Spine } from '../support/spine.ts';
import { scheduleSpine, type ScheduleSpine } from '../support/schedule-spine.ts';

/** Counts its runs, then works on for longer than its period. */
const LONG = `
const fs = require('node:fs');
exports.main = async () => {
  const dir = process.env.STATE_DIR;
  const file = dir + '/count';
  let said = 'read-only';
  try {
    // Not recursive: Node then tells ENOENT of a folder that cannot be made, instead of EROFS.
    if (!fs.existsSync(dir)) fs.mkdirSync(dir);
    const before = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
    fs.writeFileSync(file, String(before + 1));
    said = 'count ' + (before + 1);
  } catch (error) {
    if (error.code !== 'EROFS') { console.log('failed: ' + error.message); process.exit(9); }
  }
  process.on('SIGTERM', () => process.exit(0));
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  console.log(said);
};`;
const STUBBORN = `exports.main = async () => { process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1_000); await new Promise(() => {}); };`;

const started = (runs: readonly RunRecord[]): readonly RunRecord[] =>
  runs.filter(({ startedAt }) => startedAt !== null);
/** Pairs of runs that were alive at the same time. */
const overlaps = (runs: readonly RunRecord[]): number => {
  const spans = started(runs).map(({ startedAt, endedAt }) => [startedAt ?? 0, endedAt ?? Infinity] as const);
  return spans.flatMap(([from, to], n) => spans.slice(n + 1).filter(([begin, end]) => begin < to && from < end)).length;
};

let spine: Spine;
let schedules: ScheduleSpine;
beforeAll(async () => {
  spine = await startSpine();
  schedules = scheduleSpine(spine);
});
afterAll(() => spine.end());

/** Less than half of what a run takes. */
const PERIOD = '*/3 * * * * *';
/** A dozen containers take their time on a machine that does other things too. */
const patient = { timeout: 180_000 };
const passedFor = async (id: string, reason: string): Promise<number> => {
  const { passed } = await spine.drover.schedules.history.list(id, { limit: 1_000, all: true });
  return passed.filter((one) => one.reason === reason).reduce((sum, { count }) => sum + count, 0);
};

describe('R42: a run longer than its period', () => {
  it('forbid, allow, replace and queueOne do what they say', async () => {
    for (const overlap of ['forbid', 'allow', 'replace', 'queueOne'] as const) {
      await schedules.deploy(overlap, { schedule: PERIOD, drover: { overlap, stopGraceSeconds: 2 } }, LONG);
    }
    const statusesOf = async (id: string): Promise<readonly string[]> =>
      (await schedules.runs(id)).map(({ status }) => status);
    const times = async (id: string, status: string): Promise<number> =>
      (await statusesOf(id)).filter((one) => one === status).length;
    // Each policy has its occasion, twice where once could be the beginning; then it only takes the others' time.
    const until: Readonly<Record<'forbid' | 'allow' | 'replace' | 'queueOne', () => Promise<void>>> = {
      async forbid() {
        await expect.poll(() => times('forbid', 'succeeded'), patient).toBeGreaterThanOrEqual(2);
        await expect.poll(() => passedFor('forbid', 'overlap'), patient).toBeGreaterThanOrEqual(2);
      },
      async allow() {
        const begun = async (): Promise<number> => started(await schedules.runs('allow')).length;
        await expect.poll(begun, patient).toBeGreaterThanOrEqual(4);
        // On a machine where a start takes longer than the period there would be ever more of them.
        await schedules.ask('allow', { kind: 'pause', requestId: 'enough' });
        // Not their number alone: it would not say what became of the others.
        const unlucky = async () =>
          started(await schedules.runs('allow'))
            .filter(({ status }) => status !== 'succeeded')
            .map((run) => ({ ...run, words: schedules.lastWords(run) }));
        await expect.poll(unlucky, patient).toEqual([]);
      },
      replace: () => expect.poll(() => times('replace', 'replaced'), patient).toBeGreaterThanOrEqual(2),
      async queueOne() {
        await expect.poll(() => times('queueOne', 'succeeded'), patient).toBeGreaterThanOrEqual(2);
        await expect.poll(() => passedFor('queueOne', 'overlap'), patient).toBeGreaterThan(0);
      },
    };
    await Promise.all(
      (['forbid', 'allow', 'replace', 'queueOne'] as const).map(async (overlap) => {
        // Also when it did not come to that: the next test shall not share the machine with them.
        await until[overlap]().finally(() => schedules.set(overlap, { enabled: false }));
      }),
    );
    const ids = ['forbid', 'allow', 'replace', 'queueOne'];
    const isQuiet = (): boolean =>
      ids.every((id) => {
        const shown = spine.drover.schedules.view.get(id);
        return shown?.state === 'disabled' && shown.runs.length === 0;
      });
    await expect.poll(isQuiet, patient).toBe(true);
    const runs = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await schedules.runs(id)] as const)));
    const of = (id: string): readonly RunRecord[] => runs[id] ?? [];

    expect(overlaps(of('forbid'))).toBe(0);
    expect(of('forbid').filter(({ status }) => status === 'succeeded').length).toBeGreaterThanOrEqual(2);
    expect(await passedFor('forbid', 'overlap')).toBeGreaterThanOrEqual(2);

    expect(overlaps(of('allow'))).toBeGreaterThan(0);
    expect(await passedFor('allow', 'overlap')).toBe(0);
    // One at a time writes the state; the others are told that they only read it, and cannot write.
    const allowed = of('allow').filter(({ status }) => status === 'succeeded');
    const writers = allowed.filter(({ writesState }) => writesState);
    expect(overlaps(writers)).toBe(0);
    expect(writers.map((run) => schedules.lastWords(run))).toEqual(writers.map((_, n) => `count ${String(n + 1)}`));
    const readers = allowed.filter(({ writesState }) => !writesState);
    expect(readers.length).toBeGreaterThan(0);
    expect(new Set(readers.map((run) => schedules.lastWords(run)))).toEqual(new Set(['read-only']));

    expect(overlaps(of('replace'))).toBe(0);
    expect(of('replace').filter(({ status }) => status === 'replaced').length).toBeGreaterThanOrEqual(2);

    expect(overlaps(of('queueOne'))).toBe(0);
    expect(of('queueOne').filter(({ latenessMs }) => (latenessMs ?? 0) > 2_000).length).toBeGreaterThan(0);
    expect(await passedFor('queueOne', 'overlap')).toBeGreaterThan(0);
  }, 300_000);

  it('replace while the old one ignores its stop: the new one waits for its death', async () => {
    const drover = { overlap: 'replace', stopHookSeconds: 0, stopGraceSeconds: 3, finalSyncSeconds: 2 };
    await schedules.deploy('stubborn', { schedule: '*/4 * * * * *', drover }, STUBBORN);
    // On a busy machine a death takes longer than a period: then the one that waits for it is dropped for the next.
    const replaced = async (): Promise<number> =>
      started(await schedules.runs('stubborn')).filter(({ status }) => status === 'replaced').length;
    await expect.poll(replaced).toBeGreaterThanOrEqual(2);
    await schedules.set('stubborn', { enabled: false });
    const going = async (): Promise<number> =>
      (await schedules.runs('stubborn')).filter(({ endedAt }) => endedAt === null).length;
    await expect.poll(going).toBe(0);
    const all = started(await schedules.runs('stubborn'));
    expect(all.slice(0, 2).map(({ status }) => status)).toEqual(['replaced', 'replaced']);
    expect(overlaps(all)).toBe(0);
    for (const [n, run] of all.slice(1).entries()) {
      expect(run.startedAt).toBeGreaterThanOrEqual(all[n]?.endedAt ?? Infinity);
    }
  }, 120_000);
});

/** As the fault has it; the usual run shows the same with fewer containers. */
const DUE = cases(12, 60);

describe(`R41: ${String(DUE)} due in the same second`, () => {
  it('all run exactly once, and how late they were can be seen', async () => {
    const { view } = spine.drover.schedules;
    const before = view.metrics();
    const ids = Array.from({ length: DUE }, (_, n) => `storm-${String(n)}`);
    await schedules.deploy('storm-first', { schedule: '@yearly' });
    const slot = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 15_000);
    const text = `${String(slot.getUTCSeconds())} ${String(slot.getUTCMinutes())} ${String(slot.getUTCHours())} * * *`;
    for (const id of ids) {
      const filePath = 'test/storm-first/1.0.0';
      await schedules.put(id, schedules.document(id, { schedule: text, filePath }));
    }
    expect(Date.now(), 'all are known before they are due').toBeLessThan(slot.getTime());
    await expect
      .poll(() => view.metrics().outcomes.succeeded, { timeout: 150_000 })
      .toBe(before.outcomes.succeeded + DUE);
    for (const id of ids) {
      expect(await schedules.runs(id)).toMatchObject([
        { scheduledAt: slot.getTime(), status: 'succeeded', attempts: 1 },
      ]);
    }
    const { lateness } = view.metrics();
    expect(lateness.count).toBe(before.lateness.count + DUE);
    expect(lateness.counts.reduce((sum, count) => sum + count, 0)).toBe(lateness.count);
  }, 300_000);
});
