/** What a start was decided with holds while the document is gone or cannot be understood: a brother of case E4, of bots. */
import { describe, expect, it } from 'vitest';
import { fold } from '../../src/machines/evolve.ts';
import { aSpec, exited, given, HASH, log, present, T0, wish } from '../support/given.ts';

const invalid = { kind: 'invalid', code: 'DOCUMENT_INVALID', reason: 'x', enabled: undefined } as const;
const started = (change: Parameters<typeof aSpec>[0]) => {
  const desired = wish({ spec: aSpec(change), hash: HASH });
  const [...asked] = given(log.created).when({ desired, now: T0 }).plan.events;
  return { desired, log: [...log.created, ...asked, ...log.running.slice(4)] };
};

describe('case E4: the document of a bot is broken while it runs', () => {
  it('case E4: one that is not to be restarted has completed, and does not run again when the document is mended', () => {
    const bot = started({ restartPolicy: 'never' });
    const ended = given(bot.log).when({ desired: invalid, observation: exited({ code: 0 }) });
    ended.then(['SpecRejected', 'ContainerExited', 'BotCompleted'], ['EnsureRemoved'], 'stopped');
    given([...bot.log, ...ended.plan.events])
      .when({ desired: bot.desired, now: T0 + 60_000 })
      .then(['SpecAccepted', 'ContainerRemoved'], ['EnsureSynced'], 'stopped');
  });
  it('case E4: one that is deleted has the time to stop that its document gave it', () => {
    const bot = started({ stopGraceMs: 300_000 });
    const deleted = given(bot.log).when({ desired: { kind: 'gone' }, observation: present() });
    expect(deleted.plan.events.at(-1)).toMatchObject({ type: 'ContainerStopRequested', graceMs: 316_000 });
    expect(fold(deleted.plan.state, []).context.stop?.killAt).toBe(T0 + 1_000 + 316_000);
  });
});
