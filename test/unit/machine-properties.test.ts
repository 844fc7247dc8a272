/** Whatever is wished, seen and whenever: no pass throws, and every bot and schedule can be stopped and deleted (E1, E3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import type { BotRequest, Desired } from '../../src/domain/bot.ts';
import type { BotState } from '../../src/domain/bot-state.ts';
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';
import type { ContainerStatus, Observation, ObservedContainer } from '../../src/domain/observation.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { OVERLAP_POLICIES, MISSED_POLICIES, DEFAULT_SCHEDULE_POLICY } from '../../src/domain/schedule-policy.ts';
import type { DesiredSchedule, RunView, ScheduleRequest } from '../../src/domain/schedule.ts';
import type { ScheduleState } from '../../src/domain/schedule-state.ts';
import { accepts, evolve, initialState } from '../../src/machines/evolve.ts';
import { plan } from '../../src/machines/plan.ts';
import { initialSchedule } from '../../src/machines/schedule/evolve-schedule.ts';
import { planSchedule } from '../../src/machines/schedule/plan-schedule.ts';
import { cases } from '../support/full.ts';
import { absent, anExit, aSpec, HASH, T0, wish } from '../support/given.ts';

const DAY = 86_400_000;
const times = fc.constantFrom(0, 1, 900, 5_000, 61_000, 3_600_000, 30 * DAY, -1, -5_000, -3_600_000, -30 * DAY);

/** Requests that the store has: some of them the log has taken already, or will see again. */
const requestsOf = <K extends string>(kinds: readonly K[]) =>
  fc
    .tuple(
      fc.constantFrom(0, 0, 1, 3, 60, 250, 3_000),
      fc.nat(4_000),
      fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 5 }),
    )
    .map(([count, from, some]) =>
      Array.from({ length: count }, (_none, n) => ({
        requestId: `q${String(from + n)}`,
        kind: some[n % some.length] ?? kinds[0],
        actor: 'ann',
        reason: '',
        at: T0,
      })),
    );

const desires: fc.Arbitrary<Desired> = fc.oneof(
  fc
    .record({
      requests: requestsOf<BotRequest['kind']>(['restart', 'reset']),
      enabled: fc.boolean(),
      drained: fc.boolean(),
      version: fc.constantFrom('1.0.0', '2.0.0'),
      restartPolicy: fc.constantFrom('always' as const, 'on-failure' as const, 'never' as const),
    })
    .map(({ requests, enabled, drained, version, restartPolicy }) =>
      wish({
        spec: aSpec({ code: { filePath: `u/alpha/${version}`, version }, restartPolicy }),
        enabled,
        drained,
        requests: requests as BotRequest[],
      }),
    ),
  fc
    .constantFrom(true, false, undefined)
    .map((enabled): Desired => ({ kind: 'invalid', code: 'DOCUMENT_INVALID', reason: 'x', enabled })),
  fc.constant<Desired>({ kind: 'gone' }),
  fc.constant<Desired>({ kind: 'unknown', reason: 'x' }),
);

const containers: fc.Arbitrary<ObservedContainer> = fc
  .record({
    id: fc.constantFrom('c1', 'c2'),
    status: fc.constantFrom<ContainerStatus>(
      'created',
      'running',
      'paused',
      'restarting',
      'removing',
      'exited',
      'dead',
    ),
    attempt: fc.nat(3),
    incarnation: fc.nat(2),
    specHash: fc.constantFrom(HASH, 'other'),
    startedAt: fc.constantFrom(0, T0, T0 + 5_000),
    code: fc.constantFrom(0, 1, 125, 137, 143, 255),
    hasExit: fc.boolean(),
    oomKilled: fc.boolean(),
    inEngineGap: fc.boolean(),
    dropped: fc.nat(2),
  })
  .map(({ id, code, hasExit, oomKilled, inEngineGap, dropped, ...rest }) => ({
    ref: { node: 'node-1', id },
    pid: rest.status === 'running' ? 42 : 0,
    generation: 1,
    ...rest,
    ...(hasExit ? { exit: anExit({ code, oomKilled, inEngineGap }) } : {}),
    report: {
      attempt: rest.attempt,
      at: T0,
      state: { status: 'pending' as const },
      logs: { status: 'shipped' as const, droppedBytes: dropped },
    } as unknown as NonNullable<ObservedContainer['report']>,
  }));

const observations: fc.Arbitrary<Observation> = fc.oneof(
  fc.constant<Observation>({ kind: 'unknown', reason: 'x' }),
  fc.constant<Observation>(absent),
  fc.constant<Observation>({ kind: 'absent', foreign: [{ node: 'node-1', id: 'f' }] }),
  fc.constant<Observation>({ kind: 'nameTaken', ref: { node: 'node-1', id: 'x' } }),
  containers.map((container): Observation => ({ kind: 'present', container })),
);

/** What may become of the effects of a pass. */
const outcomes = fc.constantFrom<((at: number, state: BotState) => BotEvent)[]>(
  (at, { context }) => ({
    type: 'ContainerCreateFailed',
    at,
    code: 'ENGINE_ERROR',
    class: 'retryable',
    detail: 'x',
    attempt: context.attempt,
  }),
  (at, { context }) => ({
    type: 'ContainerStartFailed',
    at,
    code: 'ENGINE_REFUSED',
    class: 'terminal',
    detail: 'x',
    attempt: context.attempt,
  }),
  (at) => ({ type: 'StopSignalSent', at, ref: { node: 'node-1', id: 'c1' }, signal: 'SIGTERM' }),
  (at) => ({
    type: 'ContainerStopFailed',
    at,
    ref: { node: 'node-1', id: 'c1' },
    code: 'ENGINE_ERROR',
    class: 'retryable',
    detail: 'x',
    notBefore: at + 5_000,
  }),
  (at) => ({
    type: 'ContainerRemoveFailed',
    at,
    ref: { node: 'node-1', id: 'c1' },
    code: 'ENGINE_ERROR',
    class: 'retryable',
    detail: 'x',
    notBefore: at + 5_000,
  }),
);

const PASSES = 60;

describe('case E1: bots', () => {
  it('no pass throws, and from wherever it came a bot is stopped and deleted', () => {
    const step = fc.record({
      desired: desires,
      observation: observations,
      jump: times,
      outcome: fc.option(outcomes, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.double({ min: 0, max: 0.99, noNaN: true }), (steps, random) => {
        let state = initialState;
        let now = T0;
        const pass = (desired: Desired, observation: Observation): ReturnType<typeof plan> => {
          const planned = plan(state, { desired, observation, now, random, policy: DEFAULT_POLICY });
          ({ state } = planned);
          return planned;
        };
        for (const { desired, observation, jump, outcome } of steps) {
          now = Math.max(T0 - 40 * DAY, now + jump);
          pass(desired, observation);
          const fact = outcome?.(now, state);
          if (fact !== undefined && accepts(state, fact)) state = evolve(state, fact);
        }
        const until = (desired: Desired, isThere: () => boolean): void => {
          for (let passes = 0; !isThere(); passes += 1) {
            if (passes >= PASSES) throw new Error(`it stays ${state.at}: ${JSON.stringify(state.context)}`);
            const { wakeAfterMs } = pass(desired, absent);
            now += Math.min(wakeAfterMs ?? 1_000, 60_000);
          }
        };
        until(
          wish({ enabled: false }),
          () => state.at === 'stopped' && state.context.container === null && !state.context.wanted,
        );
        if (state.context.incarnation === 0) return;
        until({ kind: 'gone' }, () => state.at === 'deleted');
        expect(state.context.deleting).toBe(false);
      }),
      { numRuns: cases(300, 5_000) },
    );
  });
});

const ID = 's';
const schedulePolicy = fc.record({
  overlap: fc.constantFrom(...OVERLAP_POLICIES),
  missed: fc.constantFrom(...MISSED_POLICIES),
  missedCap: fc.constantFrom(1, 3, 200),
  retries: fc.constantFrom(0, 2),
  pauseAfterFailures: fc.constantFrom(0, 2),
  jitterMs: fc.constantFrom(0, 30_000),
});

const scheduleRequests = fc
  .tuple(
    requestsOf<ScheduleRequest['kind']>(['trigger', 'trigger', 'pause', 'resume', 'backfill']),
    fc.constantFrom(1, 10, 499),
    fc.boolean(),
  )
  .map(([requests, slots, again]) =>
    requests.map(
      (request) =>
        (request.kind === 'backfill'
          ? { ...request, from: T0 - slots * 60_000, to: T0, again }
          : request) as ScheduleRequest,
    ),
  );

const scheduleDesires: fc.Arbitrary<DesiredSchedule> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        cron: fc.constantFrom('* * * * *', '*/10 * * * * *', '@every 7s', '0 0 29 2 *', '@yearly'),
        policy: schedulePolicy,
        requests: scheduleRequests,
        enabled: fc.constantFrom(true, true, true, false),
        drained: fc.constantFrom(false, false, false, true),
      })
      .map(({ cron, policy, requests, enabled, drained }): DesiredSchedule => ({
        kind: 'spec',
        spec: { bot: aSpec({ id: ID }), cron: parseSchedule(cron), policy: { ...DEFAULT_SCHEDULE_POLICY, ...policy } },
        hash: JSON.stringify([cron, policy]),
        enabled,
        drained,
        requests,
      })),
  },
  fc
    .constantFrom(true, false, undefined)
    .map((enabled): DesiredSchedule => ({ kind: 'invalid', code: 'DOCUMENT_INVALID', reason: 'x', enabled })),
  fc.constant<DesiredSchedule>({ kind: 'gone' }),
  fc.constant<DesiredSchedule>({ kind: 'unknown', reason: 'x' }),
);

describe('case E3: schedules', () => {
  it('no pass throws, no slot runs twice, and from wherever it came a schedule is stopped and deleted', () => {
    const word = fc.constantFrom('none', 'started', 'retrying', 'succeeded', 'failed', 'stopped');
    const step = fc.record({ desired: scheduleDesires, jump: times, word, passes: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let state: ScheduleState = initialSchedule;
        let now = T0;
        const claimed = new Set<string>();
        const begun: string[] = [];
        const viewOf = (how: string): RunView => ({
          ...(how === 'none' ? {} : { startedAt: now }),
          ...(how === 'retrying' ? { retrying: true as const } : {}),
          ...(how === 'succeeded' || how === 'failed' || how === 'stopped'
            ? {
                end: {
                  at: now,
                  succeeded: how === 'succeeded',
                  stopped: how === 'stopped',
                  exitClass: null,
                  exitCode: null,
                  attempts: 1,
                  attempt: 1,
                },
              }
            : {}),
        });
        const pass = (desired: DesiredSchedule, how: string): boolean => {
          const runs = new Map(
            state.context.runs.filter(({ begunAt }) => begunAt !== null).map(({ key }) => [key, viewOf(how)]),
          );
          const planned = planSchedule(state, { id: ID, desired, runs, claimed: new Set(claimed), now });
          ({ state } = planned);
          for (const event of planned.events) {
            if (event.type === 'RunClaimed') claimed.add(event.key);
            if (event.type === 'BackfillAccepted') for (const { key } of event.runs) claimed.add(key);
            if (event.type === 'RunDropped') claimed.delete(event.key);
            if (event.type === 'RunBegun') begun.push(event.key);
          }
          return planned.again;
        };
        for (const { desired, jump, word: how, passes } of steps) {
          now = Math.max(T0 - 40 * DAY, now + jump);
          for (let n = 0; n < passes; n += 1) pass(desired, how);
        }
        const ofSlots = begun.filter((key) => !key.startsWith('c-'));
        expect(ofSlots).toEqual([...new Set(ofSlots)]);
        const until = (desired: DesiredSchedule, isThere: () => boolean): void => {
          for (let passes = 0; !isThere(); passes += 1) {
            if (passes >= PASSES)
              throw new Error(`it stays ${state.at} with ${String(state.context.runs.length)} runs`);
            pass(desired, 'stopped');
            now += 1_000;
          }
        };
        if (state.context.incarnation === 0) return;
        until({ kind: 'gone' }, () => state.at === 'deleted');
        expect(state.context.runs).toEqual([]);
      }),
      { numRuns: cases(40, 1_000) },
    );
  }, 120_000);
});
