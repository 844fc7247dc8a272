/** A container that ended with its engine: the rules of case E12. */
import { describe, expect, it } from 'vitest';
import { classifyExit } from '../../src/machines/classify-exit.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { anExit, aSpec, exited, given, HASH, log, wish } from '../support/given.ts';

describe('case E12: the engine ended the container', () => {
  it.each(['always', 'on-failure', 'never'] as const)(
    'case E12: a bot or run with the restart policy %s is tried again, and nothing is counted, not even with one try',
    (restartPolicy) => {
      const { plan } = given(log.running).when({
        desired: wish({ spec: aSpec({ restartPolicy }), hash: HASH }),
        observation: exited({ code: 137, inEngineGap: true }),
        policy: { ...DEFAULT_POLICY, maxCrashes: 1 },
      });
      expect(plan.events.map(({ type }) => type)).toEqual(['ContainerExited', 'RetryScheduled']);
      expect(plan.state.context).toMatchObject({ crashes: [], streak: 0, lastExit: { class: 'engineLost' } });
    },
  );
  it('case E12: an engine that stops in order sends SIGTERM; a bot that ends by itself at that moment ended by itself', () => {
    const report = { attempt: 1, phase: 'bot' } as const;
    const stopped = anExit({
      code: 143,
      inEngineGap: true,
      report: { ...report, signal: 'SIGTERM', received: 'SIGTERM' },
    });
    expect(classifyExit(stopped, false).class).toBe('engineLost');
    expect(classifyExit(anExit({ code: 3, inEngineGap: true, report: { ...report, code: 3 } }), false).class).toBe(
      'appError',
    );
  });
});
