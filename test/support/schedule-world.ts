/** One schedule on a clock of the test's own, with runs that take as long as the test says. Pure: no engine, no timer. */
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';
import type { DesiredSchedule, RunView, ScheduleRequest } from '../../src/domain/schedule.ts';
import type { ClaimedRun, ScheduleEvent } from '../../src/domain/schedule-event.ts';
import { DEFAULT_SCHEDULE_POLICY, type SchedulePolicy } from '../../src/domain/schedule-policy.ts';
import type { ScheduleState } from '../../src/domain/schedule-state.ts';
import { initialSchedule } from '../../src/machines/schedule/evolve-schedule.ts';
import { planSchedule } from '../../src/machines/schedule/plan-schedule.ts';
import { aSpec } from './given.ts';

export interface WorldOptions {
  readonly id?: string;
  readonly cron: string;
  readonly timeZone?: string;
  readonly policy?: Partial<SchedulePolicy>;
  readonly startsAt: number;
  /** How long a run takes, ms; undefined: for ever. */
  readonly takesMs?: (key: string) => number | undefined;
  readonly fails?: (key: string) => boolean;
  /** Between being wished no more and its end. */
  readonly stopTakesMs?: number;
}

interface Going {
  begunAt: number;
  stopAt?: number;
}

export const createScheduleWorld = (options: WorldOptions) => {
  const { id = 's', cron, timeZone, takesMs = () => 0, fails = () => false, stopTakesMs = 0 } = options;
  let now = options.startsAt;
  let state: ScheduleState = initialSchedule;
  let enabled = true;
  let exists = true;
  let text = cron;
  let policy: SchedulePolicy = { ...DEFAULT_SCHEDULE_POLICY, ...options.policy };
  let requests: ScheduleRequest[] = [];
  let nextAt: number | undefined;
  const log: ScheduleEvent[] = [];
  const going = new Map<string, Going>();

  const endOf = (key: string, { begunAt, stopAt }: Going): number => {
    const takes = takesMs(key);
    return Math.min(
      takes === undefined ? Infinity : begunAt + takes,
      stopAt === undefined ? Infinity : stopAt + stopTakesMs,
    );
  };
  const views = (): ReadonlyMap<string, RunView> =>
    new Map(
      [...going].map(([key, run]) => {
        const at = endOf(key, run);
        if (at > now) return [key, { startedAt: run.begunAt }] as const;
        const stopped = run.stopAt !== undefined && at === run.stopAt + stopTakesMs;
        const succeeded = !stopped && !fails(key);
        const exitCode = succeeded ? 0 : stopped ? 143 : 1;
        const exitClass = succeeded ? 'completed' : stopped ? 'stoppedByUs' : 'appError';
        const end = { at, succeeded, stopped, exitClass, exitCode, attempts: 1, attempt: 1 } as const;
        return [key, { startedAt: run.begunAt, end }] as const;
      }),
    );
  const desired = (): DesiredSchedule => {
    if (!exists) return { kind: 'gone' };
    const spec = { bot: aSpec({ id }), cron: parseSchedule(text, { timeZone }), policy };
    return { kind: 'spec', spec, hash: JSON.stringify([text, policy]), enabled, drained: false, requests };
  };
  const claims = (): readonly ClaimedRun[] =>
    log.flatMap((event) =>
      event.type === 'RunClaimed' ? [event] : event.type === 'BackfillAccepted' ? event.runs : [],
    );
  const claimed = (): ReadonlySet<string> => new Set(claims().map(({ key }) => key));
  const look = (): readonly ScheduleEvent[] => {
    const plan = planSchedule(state, { id, desired: desired(), runs: views(), claimed: claimed(), now });
    ({ state, nextAt } = plan);
    for (const event of plan.events) {
      log.push(event);
      if (event.type === 'RunBegun') going.set(event.key, { begunAt: now });
      if (event.type === 'RunStopRequested') Object.assign(going.get(event.key) ?? {}, { stopAt: now });
      if (event.type === 'RunEnded') going.delete(event.key);
    }
    return plan.events;
  };
  const self = {
    log,
    now: () => now,
    state: () => state,
    going: () => [...going.keys()],
    look,
    /** What happens until then, each thing at its time. */
    until(at: number): void {
      for (let looks = 0; ; looks += 1) {
        if (looks > 200_000) throw new Error('it does not come to rest');
        if (look().length > 0) continue;
        const ends = [...going].map(([key, run]) => endOf(key, run)).filter((end) => end > now);
        const next = Math.min(nextAt ?? Infinity, ...ends);
        if (next > at) break;
        now = next;
      }
      now = at;
    },
    /** Nobody is there, or the clock is set: no time passes for anybody. */
    jump(ms: number): void {
      now += ms;
    },
    set(change: { enabled?: boolean; exists?: boolean; cron?: string; policy?: Partial<SchedulePolicy> }): void {
      enabled = change.enabled ?? enabled;
      exists = change.exists ?? exists;
      text = change.cron ?? text;
      policy = { ...policy, ...change.policy };
    },
    ask(request: ScheduleRequest): void {
      requests = [...requests, request];
    },
    of: <T extends ScheduleEvent['type']>(type: T) =>
      log.filter((event): event is Extract<ScheduleEvent, { type: T }> => event.type === type),
    /** Slots that were run, as times. */
    ran: (): number[] =>
      self.of('RunBegun').map(({ key }) => claims().find((one) => one.key === key)?.scheduledAt ?? 0),
  };
  return self;
};
