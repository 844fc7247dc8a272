import { expect, it } from 'vitest';
import { createRunDesire, policyOfRun } from '../../src/controllers/schedules/run-desire.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { DEFAULT_SCHEDULE_POLICY } from '../../src/domain/schedule-policy.ts';
import { DEFAULTS } from '../support/spec-defaults.ts';

const policy = { ...DEFAULT_POLICY, killDeadlineMs: 7_000, backoffJitter: 0.3 };
const unread = (): never => {
  throw new Error('nothing is read');
};

it('a run whose document was never read has the policy of the operator', () => {
  const store = { read: unread, load: unread };
  const desire = createRunDesire({ schedules: store, defaults: DEFAULTS, policy, states: store, runs: store });
  expect(desire.policyOf('s/20260101T000000Z')).toEqual(policy);
});

it('the policy of a run is that of the operator, with the retries of its schedule', () => {
  expect(policyOfRun(policy, { ...DEFAULT_SCHEDULE_POLICY, retries: 2 })).toMatchObject({
    killDeadlineMs: 7_000,
    backoffJitter: 0.3,
    maxCrashes: 3,
    backoffFirstMs: DEFAULT_SCHEDULE_POLICY.retryFirstMs,
    backoffMaxMs: DEFAULT_SCHEDULE_POLICY.retryMaxMs,
  });
});
