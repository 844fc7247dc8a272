/** Given a log, when the bot looks, then these events, effects and state: the main form of the machine's tests. */
import { expect } from 'vitest';
import type { BotEvent, BotEventType } from '../../src/domain/bot-event.ts';
import type { BotSpec, Desired } from '../../src/domain/bot.ts';
import type { BotState, StatePath } from '../../src/domain/bot-state.ts';
import type { EffectType } from '../../src/domain/effect.ts';
import type { ObservedContainer, ObservedExit, Observation } from '../../src/domain/observation.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { specHash } from '../../src/domain/spec-hash.ts';
import { fold, initialState } from '../../src/machines/evolve.ts';
import type { Circumstances } from '../../src/machines/intend.ts';
import { plan, type Plan } from '../../src/machines/plan.ts';

export const T0 = 1_700_000_000_000;
export const REF = { node: 'node-1', id: 'c1' };

export const aSpec = (change: Partial<BotSpec> = {}): BotSpec => ({
  id: 'alpha',
  config: { symbol: 'BTC' },
  code: { filePath: 'u/alpha/1.0.0', version: '1.0.0' },
  runtime: 'nodejs20',
  entrypoints: { bot: 'main.js' },
  image: 'drover-bot:latest',
  limits: { memoryMb: 512, cpuShares: 512, pids: 256 },
  restartPolicy: 'always',
  stopHookMs: 1_000,
  stopGraceMs: 30_000,
  finalSyncMs: 10_000,
  ...change,
});

export const HASH = specHash(aSpec());

export const wish = (change: Partial<Extract<Desired, { kind: 'spec' }>> = {}): Desired => {
  const spec = change.spec ?? aSpec();
  return { kind: 'spec', spec, hash: specHash(spec), enabled: true, drained: false, requests: [], ...change };
};

export const absent: Observation = { kind: 'absent', foreign: [] };

export const present = (change: Partial<ObservedContainer> = {}): Observation => ({
  kind: 'present',
  container: {
    ref: REF,
    status: 'running',
    pid: 42,
    attempt: 1,
    incarnation: 1,
    generation: 1,
    specHash: HASH,
    startedAt: T0 + 5,
    ...change,
  },
});

export const anExit = (change: Partial<ObservedExit> = {}): ObservedExit => ({
  code: 1,
  oomKilled: false,
  finishedAt: T0 + 900,
  logTail: ['Traceback'],
  inEngineGap: false,
  ...change,
});

export const exited = (exit: Partial<ObservedExit> = {}, change: Partial<ObservedContainer> = {}): Observation =>
  present({ status: 'exited', pid: 0, exit: anExit(exit), ...change });

const identity = { ref: REF, attempt: 1, incarnation: 1, generation: 1, specHash: HASH };

/** Logs that lead to each state, by the rules that the planner itself follows. */
export const log = {
  created: [
    { type: 'BotCreated', at: T0, incarnation: 1 },
    { type: 'SpecChanged', at: T0, generation: 1, hash: HASH, version: '1.0.0' },
    { type: 'BotEnabled', at: T0 },
  ] as BotEvent[],
  get starting(): BotEvent[] {
    return [
      ...log.created,
      { type: 'ContainerStartRequested', at: T0, attempt: 1, generation: 1, hash: HASH, deadline: T0 + 120_000 },
    ];
  },
  get running(): BotEvent[] {
    return [
      ...log.starting,
      { type: 'ContainerCreated', at: T0 + 1, ...identity },
      { type: 'ContainerStarted', at: T0 + 5, ref: REF, startedAt: T0 + 5 },
    ];
  },
  get stopping(): BotEvent[] {
    return [
      ...log.running,
      { type: 'BotDisabled', at: T0 + 10, reason: 'document' },
      {
        type: 'ContainerStopRequested',
        at: T0 + 10,
        ref: REF,
        reason: 'disabled',
        graceMs: 30_000,
        killAt: T0 + 30_010,
        deadline: T0 + 60_010,
      },
    ];
  },
};

export interface Given {
  when(circumstances?: Partial<Circumstances>): Then;
}
export interface Then {
  readonly plan: Plan;
  then(events: readonly BotEventType[], effects: readonly EffectType[], at: StatePath): Then;
}

export const stateAfter = (events: readonly BotEvent[]): BotState => fold(initialState, events);

export const given = (events: readonly BotEvent[]): Given => ({
  when(circumstances = {}) {
    const planned = plan(stateAfter(events), {
      desired: wish(),
      observation: absent,
      now: T0 + 1_000,
      random: 0.5,
      policy: DEFAULT_POLICY,
      ...circumstances,
    });
    const self: Then = {
      plan: planned,
      then(types, effects, at) {
        expect({
          events: planned.events.map(({ type }) => type),
          effects: planned.effects.map(({ type }) => type),
          at: planned.state.at,
        }).toEqual({ events: types, effects, at });
        return self;
      },
    };
    return self;
  },
});
