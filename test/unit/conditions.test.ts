/** What an operator reads of a bot between two crashes, and in a drained fleet (feature A5). */
import { expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import type { Condition } from '../../src/domain/running-bot.ts';
import { conditionsOf } from '../../src/machines/conditions.ts';
import { exited, given, HASH, log, present, REF, stateAfter, T0, wish } from '../support/given.ts';

const conditionOf = (events: readonly BotEvent[], type: Condition['type']): Condition | undefined =>
  conditionsOf(stateAfter(events)).find((condition) => condition.type === type);

const startedAgain = (attempt: number): BotEvent[] => {
  const at = T0 + attempt * 10_000;
  return [
    { type: 'ContainerRemoved', at, ref: REF },
    { type: 'ContainerStartRequested', at, attempt, generation: 1, hash: HASH, deadline: at + 1 },
    { type: 'ContainerCreated', at, ref: REF, attempt, incarnation: 1, generation: 1, specHash: HASH },
    { type: 'ContainerStarted', at, ref: REF, startedAt: at },
  ];
};
const crashed = (events: readonly BotEvent[]): BotEvent[] => [
  ...events,
  ...given(events).when({ observation: exited() }).plan.events,
];

it('a bot that was restarted after a crash stays degraded until it has run for a while', () => {
  const once = [...crashed(log.running), ...startedAgain(2)];
  expect(stateAfter(once).at).toBe('running');
  expect(conditionOf(once, 'Ready')).toMatchObject({ status: 'True' });
  expect(conditionOf(once, 'Degraded')).toMatchObject({
    status: 'True',
    reason: 'AppError',
    message: 'the bot ended with exit code 1',
  });
  const twice = [...crashed(once), ...startedAgain(3)];
  expect(conditionOf(twice, 'Degraded')).toMatchObject({
    status: 'True',
    message: 'the bot ended with exit code 1; 2 failures in a row',
  });
  // An operator's restart is no failure, and does not explain one.
  const desired = wish({
    requests: [{ kind: 'restart', requestId: 'r', actor: 'ann', reason: '', at: T0 }],
  });
  const asked = [...once, ...given(once).when({ desired, observation: present({ attempt: 2 }) }).plan.events];
  const ended = [
    ...asked,
    ...given(asked).when({ desired, observation: exited({ code: 0 }, { attempt: 2 }) }).plan.events,
    ...startedAgain(3),
  ];
  expect(stateAfter(ended)).toMatchObject({ at: 'running', context: { lastExit: { class: 'stoppedByUs' } } });
  expect(conditionOf(ended, 'Degraded')).toMatchObject({ status: 'False', reason: 'AsWished' });
  const well: BotEvent[] = [...twice, { type: 'BecameHealthy', at: T0 + 100_000, afterMs: 60_000 }];
  expect(conditionOf(well, 'Degraded')).toMatchObject({ status: 'False', reason: 'AsWished' });
});

it('a bot that a drain has stopped says so, and one that was disabled does not', () => {
  const stoppedBy = (desired: ReturnType<typeof wish>): readonly BotEvent[] => {
    const stopping = [...log.running, ...given(log.running).when({ desired, observation: present() }).plan.events];
    return [...stopping, { type: 'ContainerRemoved', at: T0 + 2_000, ref: REF }];
  };
  expect(conditionOf(stoppedBy(wish({ drained: true })), 'Ready')).toMatchObject({
    status: 'False',
    reason: 'Stopped',
    message: 'the bot is stopped by a drain of the fleet; see `drover drain --undo`',
  });
  expect(conditionOf(stoppedBy(wish({ enabled: false })), 'Ready')?.message).toBe('the bot is stopped');
});
