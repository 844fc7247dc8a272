/** Between two failures a bot is not well, whatever ended it, until it has run for HEALTHY_AFTER (case F12). */
import { describe, expect, it } from 'vitest';
import { conditionsOf } from '../../src/machines/conditions.ts';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import type { BotState } from '../../src/domain/bot-state.ts';
import type { ObservedExit } from '../../src/domain/observation.ts';
import { absent, exited, given, log, present, T0 } from '../support/given.ts';

const E2BIG = {
  code: 1,
  report: { attempt: 1, phase: 'bot', error: { code: 'RUNTIME_CONFIG', detail: 'spawn E2BIG' } },
} as const;

/** Failed once, and started again. */
const startedAgain = (
  exit: Partial<ObservedExit>,
): { readonly events: readonly BotEvent[]; readonly state: BotState } => {
  const failed = given(log.running).when({ observation: exited(exit) }).plan;
  let events: BotEvent[] = [...log.running, ...failed.events];
  const retry = given(events).when({ observation: absent, now: T0 + 60_000 }).plan;
  events = [...events, ...retry.events];
  const observation = present({ attempt: 2, ref: { node: 'node-1', id: 'c2' }, startedAt: T0 + 60_000 });
  const running = given(events).when({ observation, now: T0 + 60_000 }).plan;
  return { events: [...events, ...running.events], state: running.state };
};
const degraded = (state: BotState) => conditionsOf(state).find(({ type }) => type === 'Degraded');

describe('case F12: between two failures', () => {
  it.each<[string, Partial<ObservedExit>, string]>([
    ['a bot that cannot be spawned', E2BIG, 'RuntimeConfig'],
    ['a bot whose engine goes down again and again', { code: 137, inEngineGap: true }, 'EngineLost'],
    ['a bot that crashes', { code: 1 }, 'AppError'],
  ])(
    'case F12: %s is Degraded while it runs, with the last reason, until it has run for long enough',
    (_who, exit, reason) => {
      const { events, state } = startedAgain(exit);
      expect(state.at).toBe('running');
      expect(degraded(state)).toMatchObject({ status: 'True', reason });
      const observation = present({ attempt: 2, ref: { node: 'node-1', id: 'c2' }, startedAt: T0 + 60_000 });
      const later = given(events).when({ observation, now: T0 + 130_000 }).plan;
      expect(later.events.map(({ type }) => type)).toEqual(['BecameHealthy']);
      expect(degraded(later.state)).toMatchObject({ status: 'False' });
    },
  );
});
