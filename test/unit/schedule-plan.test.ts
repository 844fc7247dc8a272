/** Which slots of a schedule run, and what becomes of the others (features D4–D10, D16–D18; faults R42, R44, R45). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotsBetween } from '../../src/domain/cron/slots-between.ts';
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';
import { OVERLAP_POLICIES, MISSED_POLICIES } from '../../src/domain/schedule-policy.ts';
import { jitterOf } from '../../src/machines/schedule/jitter.ts';
import { createScheduleWorld } from '../support/schedule-world.ts';
import { cases } from '../support/full.ts';

const T0 = Date.UTC(2026, 10, 24, 12, 0, 30);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (hour: number, minute: number, second = 0): number => Date.UTC(2026, 10, 24, hour, minute, second);
const minutely = (options: Partial<Parameters<typeof createScheduleWorld>[0]> = {}) =>
  createScheduleWorld({ cron: '* * * * *', startsAt: T0, ...options });
const reasons = (world: ReturnType<typeof createScheduleWorld>) =>
  world.of('SlotsPassed').map(({ from, to, count, reason }) => ({ from, to, count, reason }));

describe('a schedule', () => {
  it('runs each slot once, at its time, and nothing at its creation', () => {
    const world = minutely();
    world.until(at(12, 5));
    expect(world.ran()).toEqual([1, 2, 3, 4, 5].map((minute) => at(12, minute)));
    expect(world.of('RunStarted').map(({ latenessMs }) => latenessMs)).toEqual([0, 0, 0, 0, 0]);
    expect(world.of('RunEnded').map(({ outcome }) => outcome)).toEqual(Array(5).fill('succeeded'));
  });
  it('enabled again, or with another text, does not fire at once (pitfall 52)', () => {
    const world = minutely();
    world.until(at(12, 2));
    world.set({ enabled: false });
    world.until(at(12, 10, 30));
    world.set({ enabled: true });
    world.look();
    expect(world.ran()).toHaveLength(2);
    world.set({ cron: '*/5 * * * *' });
    world.look();
    world.until(at(12, 15));
    expect(world.ran().slice(2)).toEqual([at(12, 15)]);
    // The same times in other words are the same.
    world.set({ cron: '0,5,10,15,20,25,30,35,40,45,50,55 * * * *' });
    world.until(at(12, 20));
    expect(world.of('ScheduleChanged').map(({ anew }) => anew)).toEqual([true, true, false]);
    expect(world.ran().at(-1)).toBe(at(12, 20));
  });
  it('deleted or disabled stops its run gracefully and drops what waits (pitfall 56)', () => {
    const world = minutely({ takesMs: () => HOUR, stopTakesMs: 5_000, policy: { overlap: 'queueOne' } });
    world.until(at(12, 3));
    expect(world.going()).toHaveLength(1);
    world.set({ exists: false });
    world.until(at(12, 4));
    expect(world.of('RunStopRequested')).toMatchObject([{ reason: 'deleted' }]);
    expect(world.of('RunDropped')).toMatchObject([{ reason: 'deleted' }]);
    expect(world.of('RunEnded')).toMatchObject([{ outcome: 'stopped', endedAt: at(12, 3, 5) }]);
    expect(world.state().at).toBe('deleted');
    world.set({ exists: true });
    world.until(at(12, 5));
    expect(world.state()).toMatchObject({ at: 'armed', context: { incarnation: 2, cursor: at(12, 5) } });
  });
});

describe('R42: a run that is longer than its period', () => {
  const long = (overlap: (typeof OVERLAP_POLICIES)[number]) => {
    const world = createScheduleWorld({
      cron: '*/5 * * * * *',
      startsAt: at(12, 0),
      takesMs: () => 20_000,
      stopTakesMs: 7_000,
      policy: { overlap },
    });
    world.until(at(12, 1));
    return world;
  };
  it('forbid: the slots meanwhile pass, each with its reason', () => {
    const world = long('forbid');
    expect(world.ran()).toEqual([at(12, 0, 5), at(12, 0, 25), at(12, 0, 45)]);
    expect(new Set(world.of('SlotsPassed').map(({ reason }) => reason))).toEqual(new Set(['overlap']));
  });
  it('allow: all run, and one of them at a time writes the state', () => {
    const world = long('allow');
    expect(world.ran()).toHaveLength(12);
    const writing = new Set<string>();
    for (const event of world.log) {
      if (event.type === 'RunBegun' && event.writes) writing.add(event.key);
      if (event.type === 'RunEnded') writing.delete(event.key);
      expect(writing.size).toBeLessThanOrEqual(1);
    }
    // Numbers of starts of runs that go on at once are never the same: each has its own, above its own base.
    const bases = new Map<string, number>();
    for (const event of world.log) {
      if (event.type === 'RunEnded') bases.delete(event.key);
      if (event.type !== 'RunBegun') continue;
      expect([...bases.values()]).not.toContain(event.attempt);
      bases.set(event.key, event.attempt);
    }
    expect(bases.size).toBeGreaterThan(1);
  });
  it('replace: the old one is stopped, and the new one waits until it is gone', () => {
    const world = long('replace');
    for (const [n, event] of world.log.entries()) {
      if (event.type !== 'RunBegun') continue;
      const open = world.log.slice(0, n).filter(({ type }) => type === 'RunBegun').length;
      const ended = world.log.slice(0, n).filter(({ type }) => type === 'RunEnded').length;
      expect(open).toBe(ended);
    }
    expect(world.of('RunEnded').map(({ outcome }) => outcome)).toContain('replaced');
    expect(world.of('RunDropped').every(({ reason }) => reason === 'replaced')).toBe(true);
    expect(world.ran().length).toBeGreaterThan(3);
  });
  it('queueOne: one waits, the others pass', () => {
    const world = long('queueOne');
    expect(world.ran()).toEqual([at(12, 0, 5), at(12, 0, 10), at(12, 0, 30)]);
    expect(world.state().context.runs).toHaveLength(2);
  });
});

describe('slots that nobody was there for (D5, D6)', () => {
  const away = (policy: Parameters<typeof minutely>[0] & object) => {
    const world = minutely(policy);
    world.until(at(12, 1));
    world.jump(3 * HOUR + 30_000);
    world.look();
    world.until(world.now());
    return world;
  };
  it('skip: none', () => {
    const world = away({ policy: { missed: 'skip' } });
    expect(world.ran()).toHaveLength(1);
    expect(reasons(world)).toEqual([{ from: at(12, 2), to: at(15, 1), count: 180, reason: 'missed' }]);
  });
  it('last: one', () => {
    const world = away({});
    expect(world.ran().slice(1)).toEqual([at(15, 1)]);
    expect(world.of('RunClaimed').at(-1)).toMatchObject({ trigger: 'catchUp' });
    expect(reasons(world)).toEqual([{ from: at(12, 2), to: at(15, 0), count: 179, reason: 'missed' }]);
  });
  it('all: the newest up to the cap, one after the other, each knowing its slot', () => {
    const world = away({ policy: { missed: 'all', missedCap: 10 }, takesMs: () => 1_000 });
    world.until(at(15, 1, 59));
    expect(world.ran().slice(1)).toEqual(Array.from({ length: 10 }, (_none, n) => at(14, 52) + n * MINUTE));
    expect(reasons(world)).toEqual([{ from: at(12, 2), to: at(14, 51), count: 170, reason: 'missed' }]);
  });
  it('older than the window or the deadline: passed for that, also a deadline of a second', () => {
    const world = away({ policy: { missed: 'all', missedCap: 1_000, catchUpMs: HOUR } });
    expect(world.ran().slice(1)).toHaveLength(60);
    expect(reasons(world)).toEqual([{ from: at(12, 2), to: at(14, 1), count: 120, reason: 'missed' }]);
    const strict = away({ policy: { startDeadlineMs: 1_000 } });
    expect(strict.ran()).toHaveLength(1);
    expect(reasons(strict)).toMatchObject([{ count: 180, reason: 'deadline' }]);
  });
  it('a week of missed seconds is one record, and costs no week', () => {
    const world = createScheduleWorld({ cron: '* * * * * *', startsAt: T0, policy: { missed: 'skip' } });
    world.look();
    world.jump(7 * DAY);
    world.look();
    const [record] = world.of('SlotsPassed');
    expect(record).toMatchObject({ from: T0 + 1_000, reason: 'missed', more: true });
    expect(world.of('SlotsPassed').length).toBeLessThanOrEqual(2);
  });
});

describe('R44: the clock', () => {
  it('set back by two hours: no slot twice, and none before its time', () => {
    const world = minutely();
    world.until(at(12, 10));
    world.jump(-2 * HOUR);
    world.until(at(12, 12));
    const ran = world.ran();
    expect(new Set(ran).size).toBe(ran.length);
    expect(ran.slice(-2)).toEqual([at(12, 11), at(12, 12)]);
  });
  it('set forward by five hours or a day: by the policy for missed slots', () => {
    for (const jump of [5 * HOUR, DAY]) {
      const world = minutely();
      world.until(at(12, 1));
      world.jump(jump);
      world.until(world.now() + MINUTE);
      const ran = world.ran();
      expect(new Set(ran).size).toBe(ran.length);
      const told = world.of('SlotsPassed').reduce((sum, { count }) => sum + count, 0) + ran.length;
      expect(told).toBe(slotsBetween(parseSchedule('* * * * *'), T0, world.now(), 10_000).slots.length);
    }
  });
});

describe('R45: far away', () => {
  it.each([
    ['0 0 1 1 *', 5, [2027, 2028, 2029, 2030, 2031].map((year) => Date.UTC(year, 0, 1))],
    ['0 0 29 2 *', 5, [Date.UTC(2028, 1, 29)]],
  ])('%s fires when it is time and never before', (cron, years, expected) => {
    const world = createScheduleWorld({ cron, startsAt: T0 });
    world.until(T0 + years * 365.25 * DAY + DAY);
    expect(world.ran()).toEqual(expected);
  });
});

describe('jitter (D10)', () => {
  it('is the same on every day, and spreads a fleet evenly', () => {
    const offsets = Array.from({ length: 1_000 }, (_none, n) => jitterOf(`bot-${String(n)}`, 60_000));
    const tenths = Array.from(
      { length: 10 },
      (_none, n) => offsets.filter((ms) => Math.floor(ms / 6_001) === n).length,
    );
    // χ² over 10 classes of 100 each, 9 degrees of freedom: 27.9 is passed once in a thousand times, and ids do not change.
    expect(tenths.reduce((sum, found) => sum + (found - 100) ** 2 / 100, 0)).toBeLessThan(27.9);
    const world = createScheduleWorld({ id: 'bot-7', cron: '0 * * * *', startsAt: T0, policy: { jitterMs: 60_000 } });
    world.until(T0 + DAY);
    const starts = world.of('RunStarted').map(({ startedAt }) => startedAt % HOUR);
    expect(new Set(starts)).toEqual(new Set([jitterOf('bot-7', 60_000)]));
    expect(world.of('RunStarted').every(({ latenessMs }) => latenessMs === 0)).toBe(true);
  });
});

describe('pauses', () => {
  const ask = (kind: 'pause' | 'resume', more: object = {}) =>
    ({ kind, requestId: `${kind}-1`, actor: 'ann', reason: 'market closed', at: 0, ...more }) as never;
  it('D8: of a person, with an end: it resumes by itself, and tells what did not run', () => {
    const world = minutely();
    world.until(at(12, 1));
    world.ask(ask('pause', { until: at(13, 0, 30) }));
    world.until(at(13, 2));
    expect(world.ran()).toEqual([at(12, 1), at(13, 1), at(13, 2)]);
    expect(reasons(world)).toEqual([{ from: at(12, 2), to: at(13, 0), count: 59, reason: 'paused' }]);
    expect(world.of('ScheduleResumed')).toMatchObject([{ author: 'drover', at: at(13, 0, 30) }]);
  });
  it('D8: ended by a person', () => {
    const world = minutely();
    world.until(at(12, 1));
    world.ask(ask('pause'));
    world.until(at(12, 30, 30));
    world.ask(ask('resume'));
    world.until(at(12, 31));
    expect(world.ran()).toEqual([at(12, 1), at(12, 31)]);
    expect(reasons(world)).toMatchObject([{ count: 29, reason: 'paused' }]);
  });
  it('D17: by itself after failures in a row', () => {
    const world = minutely({ fails: (key) => !key.includes('T1202'), policy: { pauseAfterFailures: 3 } });
    world.until(at(12, 30));
    expect(world.ran()).toHaveLength(5);
    expect(world.state()).toMatchObject({ at: 'paused', context: { paused: { author: 'drover' } } });
  });
});

describe('what a person asks for', () => {
  it('D9: a run at once, also while paused, and behind the one that goes on', () => {
    const world = minutely({ takesMs: () => 30_000 });
    world.until(at(12, 1, 10));
    world.ask({ kind: 'trigger', requestId: 'r1', actor: 'ann', reason: '', at: 0 });
    world.until(at(12, 1, 59));
    expect(world.of('RunBegun').map(({ key, at: when }) => [key, when])).toEqual([
      ['20261124T120100Z', at(12, 1)],
      ['c-r1', at(12, 1, 30)],
    ]);
    // Taken once, however often it is read.
    world.until(at(12, 10));
    expect(world.of('RunClaimed').filter(({ trigger }) => trigger === 'manual')).toHaveLength(1);
  });
  const fill = (requestId: string, from: number, to: number, again = false) =>
    ({ kind: 'backfill', requestId, actor: 'ann', reason: '', at: 0, from, to, again }) as const;
  it('D9: a range of slots, each once and each knowing its own, between the slots of the day', () => {
    const world = createScheduleWorld({ cron: '0 * * * *', startsAt: at(12, 30), takesMs: () => 10 * MINUTE });
    world.look();
    world.ask(fill('f1', at(0, 0) - DAY, at(23, 0) - DAY));
    world.until(at(18, 30));
    const [accepted] = world.of('BackfillAccepted');
    expect(accepted).toMatchObject({ refused: 0 });
    expect(accepted?.runs).toHaveLength(24);
    const yesterday = world.ran().filter((slot) => slot < at(0, 0));
    expect(yesterday).toEqual(Array.from({ length: 24 }, (_none, n) => at(n, 0) - DAY));
    // What was due meanwhile ran too, as soon as the run that went on had ended.
    expect(world.ran().filter((slot) => slot > at(12, 30))).toEqual(
      [13, 14, 15, 16, 17, 18].map((hour) => at(hour, 0)),
    );
    expect(world.of('SlotsPassed')).toEqual([]);
  });
  it('D9: five hundred of them, one after another, also where slots may go on side by side', () => {
    const world = minutely({ policy: { overlap: 'allow' }, takesMs: () => 8_000 });
    world.look();
    world.ask(fill('f1', at(0, 1), at(8, 20)));
    for (let minute = 1; minute < 80; minute += 1) {
      world.until(T0 + minute * MINUTE);
      const going = world
        .state()
        .context.runs.filter(({ begunAt, trigger }) => begunAt !== null && trigger === 'backfill');
      expect(going.length).toBeLessThanOrEqual(1);
    }
    expect(world.of('BackfillAccepted')[0]?.runs).toHaveLength(500);
    expect(world.of('RunEnded').length).toBeGreaterThanOrEqual(500 + 79);
    expect(world.of('SlotsPassed')).toEqual([]);
  });
  it('D9: slots that ran are refused unless they are asked for again, and are runs of that command then', () => {
    const world = minutely();
    world.until(at(12, 3));
    world.ask(fill('f1', at(11, 59), at(12, 2)));
    world.until(at(12, 3, 30));
    expect(world.of('BackfillAccepted')).toMatchObject([
      { refused: 2, runs: [{ scheduledAt: at(11, 59) }, { scheduledAt: at(12, 0) }] },
    ]);
    world.ask(fill('f2', at(12, 1), at(12, 2)));
    world.ask(fill('f3', at(12, 1), at(12, 2), true));
    world.ask(fill('f4', at(11, 0, 1), at(11, 0, 59)));
    world.ask(fill('f5', at(12, 0), at(13, 0)));
    world.ask(fill('f6', at(0, 0) - DAY, at(12, 0)));
    world.until(at(12, 3, 50));
    expect(world.of('RequestRefused').map(({ requestId, reason }) => [requestId, reason])).toEqual([
      ['f2', 'all slots of the range already have a run'],
      ['f4', 'the range has no slot'],
      ['f5', 'the range ends in the future; slots of the future run when they are due'],
      ['f6', 'the range has more than 500 slots'],
    ]);
    expect(
      world
        .of('BackfillAccepted')
        .at(-1)
        ?.runs.map(({ key }) => key),
    ).toEqual(['c-f3-0', 'c-f3-1']);
  });
  it('is refused with the reason when it is disabled', () => {
    const world = minutely();
    world.set({ enabled: false });
    world.ask({ kind: 'trigger', requestId: 'r1', actor: 'ann', reason: '', at: 0 });
    world.until(at(12, 5));
    expect(world.of('RequestRefused')).toMatchObject([{ requestId: 'r1', reason: 'the schedule is disabled' }]);
  });
});

describe('limits', () => {
  it('a run that takes too long is stopped and counts as failed (pitfall 55)', () => {
    const world = minutely({ takesMs: () => undefined, stopTakesMs: 2_000, policy: { maxRunMs: 30_000 } });
    world.until(at(12, 1, 59));
    expect(world.of('RunEnded')).toMatchObject([{ outcome: 'timedOut', endedAt: at(12, 1, 32) }]);
    expect(world.state().context.failuresInRow).toBe(1);
  });
  it('D18: a run that starts later than allowed is told as late', () => {
    const world = minutely({ takesMs: () => 90_000, policy: { overlap: 'queueOne', maxLatenessMs: 10_000 } });
    world.until(at(12, 4));
    expect(world.of('RunStarted').map(({ late, latenessMs }) => [late, latenessMs])).toEqual([
      [false, 0],
      [true, 30_000],
      [true, 60_000],
    ]);
    expect(world.state().context.late).toBe(true);
  });
});

describe('whatever happens', () => {
  it('every slot is run or passed, once, and never two at once where that is forbidden (D7, I1)', () => {
    const step = fc.record({
      jump: fc.constantFrom(0, 0, 0, 20_000, 7 * MINUTE, -3 * MINUTE),
      forMs: fc.constantFrom(1_000, 30_000, MINUTE, 10 * MINUTE),
      pause: fc.constantFrom('none', 'none', 'none', 'pause', 'resume'),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.constantFrom(...OVERLAP_POLICIES),
        fc.constantFrom(...MISSED_POLICIES),
        fc.constantFrom(0, 15_000, 80_000, 400_000),
        (steps, overlap, missed, takes) => {
          const world = minutely({
            takesMs: () => takes,
            stopTakesMs: 3_000,
            policy: { overlap, missed, missedCap: 3 },
          });
          world.look();
          let latest = world.now();
          for (const [n, { jump, forMs, pause }] of steps.entries()) {
            if (pause !== 'none') world.ask({ kind: pause, requestId: `q${String(n)}`, actor: 'a', reason: '', at: 0 });
            world.jump(jump);
            world.until(world.now() + forMs);
            latest = Math.max(latest, world.now());
            const begun = world.of('RunBegun').length - world.of('RunEnded').length;
            if (overlap !== 'allow') expect(begun).toBeLessThanOrEqual(1);
          }
          if (world.state().at === 'paused')
            world.ask({ kind: 'resume', requestId: 'last', actor: 'a', reason: '', at: 0 });
          world.jump(Math.max(0, latest - world.now()));
          world.look();
          const claimed = world.of('RunClaimed').map(({ scheduledAt }) => scheduledAt);
          expect(new Set(claimed).size).toBe(claimed.length);
          const schedule = parseSchedule('* * * * *');
          const accounted = [
            ...claimed,
            ...world.of('SlotsPassed').flatMap(({ from, to }) => slotsBetween(schedule, from - 1, to, 10_000).slots),
          ];
          // A clock that was set back by more than a moment has slots decided anew; those that ran do not run again.
          const due = slotsBetween(schedule, T0, world.state().context.cursor, 10_000).slots;
          expect(due.filter((slot) => !accounted.includes(slot))).toEqual([]);
          if (world.of('SlotsSetBack').length === 0) expect(accounted.sort((a, b) => a - b)).toEqual(due);
          expect(world.state().context.cursor).toBeGreaterThan(latest - MINUTE - 1);
        },
      ),
      { numRuns: cases(40, 300) },
    );
  });
  it('R44: no slot runs twice, whatever is switched while the clock is set back and forth', () => {
    const step = fc.record({
      jump: fc.constantFrom(-2 * HOUR, -90_000, 0, 30_000, HOUR),
      change: fc.constantFrom('none', 'toggle', 'text', 'again', 'pause'),
      forMs: fc.constantFrom(1_000, 90_000, 5 * MINUTE),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), fc.constantFrom(...MISSED_POLICIES), (steps, missed) => {
        const world = minutely({ policy: { missed } });
        for (const [n, { jump, change, forMs }] of steps.entries()) {
          world.jump(jump);
          if (change === 'toggle') world.set({ enabled: false });
          if (change === 'text') world.set({ cron: n % 2 === 0 ? '*/2 * * * *' : '* * * * *' });
          if (change === 'again') world.set({ exists: false });
          if (change === 'pause')
            world.ask({ kind: 'pause', requestId: `p${String(n)}`, actor: 'a', reason: '', at: 0 });
          world.until(world.now() + 2_000);
          world.set({ enabled: true, exists: true });
          if (change === 'pause')
            world.ask({ kind: 'resume', requestId: `r${String(n)}`, actor: 'a', reason: '', at: 0 });
          world.until(world.now() + forMs);
        }
        const ran = world.of('RunClaimed').map(({ key }) => key);
        expect(new Set(ran).size).toBe(ran.length);
        // What was decided before the clock was set back was decided for a time that had not come.
        const lastSetBack = world.log.findLastIndex(({ type }) => type === 'SlotsSetBack');
        const passed = world
          .of('SlotsPassed')
          .filter((event) => event.reason !== 'alreadyRan' && world.log.indexOf(event) > lastSetBack);
        for (const slot of world.of('RunClaimed').map(({ scheduledAt }) => scheduledAt)) {
          expect(passed.filter(({ from, to, count }) => count === 1 && from <= slot && slot <= to)).toEqual([]);
        }
      }),
      { numRuns: cases(25, 200) },
    );
  });
});
