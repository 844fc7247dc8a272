/**
 * What is wished of one run: its schedule's log says whether, its schedule's document with what. A run that was begun goes on
 * with what it began with, whatever becomes of the document meanwhile.
 */
import type { BotSpec, Desired } from '../../domain/bot.ts';
import type { BotState } from '../../domain/bot-state.ts';
import { toDroverError } from '../../domain/errors.ts';
import type { BotPolicy } from '../../domain/policy.ts';
import { partsOfRun } from '../../domain/run-id.ts';
import type { ScheduleRequest, ScheduleSpec } from '../../domain/schedule.ts';
import type { ActiveRun, ScheduleState } from '../../domain/schedule-state.ts';
import { termsOf, type RunTerms } from '../../domain/schedule-policy.ts';
import { specHash } from '../../domain/spec-hash.ts';
import type { SpecDefaults } from '../../documents/bot-document.ts';
import type { ScheduleStore, SpecRecord } from '../../ports/spec-store.ts';
import type { Desire } from '../desire.ts';
import type { FoldStore } from '../fold-store.ts';
import { desiredSchedule } from './schedule-desire.ts';

export interface RunDesireOptions {
  readonly schedules: Pick<ScheduleStore, 'read'>;
  readonly defaults: SpecDefaults;
  /** That of bots: what a schedule does not say itself. */
  readonly policy: BotPolicy;
  readonly states: Pick<FoldStore<ScheduleState>, 'load'>;
  readonly runs: Pick<FoldStore<BotState>, 'load'>;
}

export interface RunDesire {
  readonly desiredOf: (id: string) => Promise<Desire>;
  /** As last asked for; runs that were never asked for have that of bots. */
  readonly policyOf: (id: string) => BotPolicy;
  /** The run is over. */
  readonly forget: (id: string) => void;
}

/** Many that are due at once wait for their turn at the engine: that is no start that takes too long. */
const START_DEADLINE_MS = 30 * 60_000;
/** What is told of the window in which crashes of a run count; all of them do. */
const CRASH_WINDOW_MS = 366 * 86_400_000;
/** Between two tries, whatever the document says. */
const RETRY_LEAST_MS = 1_000;

/** Retries of a run are the restarts of a bot (feature D13). */
export const policyOfRun = (bots: BotPolicy, terms: RunTerms): BotPolicy => {
  const backoffFirstMs = Math.max(RETRY_LEAST_MS, terms.retryFirstMs);
  return {
    ...bots,
    startDeadlineMs: Math.max(bots.startDeadlineMs, START_DEADLINE_MS),
    maxCrashes: terms.retries + 1,
    crashWindowMs: CRASH_WINDOW_MS,
    countsAllCrashes: true,
    backoffFirstMs,
    // A hiccup of the engine must not cost a slot: nothing has been done in it yet.
    neverRanFirstMs: Math.min(bots.backoffFirstMs, backoffFirstMs),
    backoffMaxMs: Math.max(backoffFirstMs, terms.retryMaxMs),
  };
};

const specOfRun = ({ bot }: ScheduleSpec, { retries }: RunTerms): BotSpec => ({
  ...bot,
  restartPolicy: retries === 0 ? 'never' : 'on-failure',
});

const isAtRest = ({ at }: BotState): boolean => at === 'stopped' || at === 'failed.exhausted' || at === 'deleted';

export const createRunDesire = (options: RunDesireOptions): RunDesire => {
  const { schedules, defaults, policy, states, runs } = options;
  const policies = new Map<string, BotPolicy>();

  const wishedWith = (
    id: string,
    { incarnation }: ScheduleState['context'],
    run: ActiveRun,
    own: BotState,
    record: SpecRecord<ScheduleRequest> | undefined,
  ): Desired => {
    const wish = record === undefined ? undefined : desiredSchedule(record, defaults, false);
    const terms = run.terms ?? (wish?.kind === 'spec' ? termsOf(wish.spec.policy) : undefined);
    if (terms !== undefined) policies.set(id, policyOfRun(policy, terms));
    if (wish?.kind !== 'spec' || terms === undefined) {
      // Nothing to begin with; and whoever is to end needs no document for that.
      return run.stop === null
        ? { kind: 'unknown', reason: 'the schedule of this run has no valid document' }
        : { kind: 'gone' };
    }
    const { key, scheduledAt, writes, attempt } = run;
    return {
      kind: 'spec',
      spec: specOfRun(wish.spec, terms),
      hash: own.context.specHash ?? specHash(wish.spec.bot),
      enabled: run.stop === null,
      drained: false,
      requests: [],
      run: { key, scheduledAt, writes, attempt, incarnation },
    };
  };

  return {
    policyOf: (id) => policies.get(id) ?? policy,
    forget: (id) => void policies.delete(id),
    async desiredOf(id) {
      const parts = partsOfRun(id);
      if (parts === undefined) return { desired: { kind: 'unknown', reason: 'this is not the id of a run' } };
      const [{ state: schedule }, { state: own }] = await Promise.all([states.load(parts.scheduleId), runs.load(id)]);
      const run = schedule.context.runs.find(({ key, begunAt }) => key === parts.key && begunAt !== null);
      if (run === undefined) {
        // It ended: what is left is tidied up, and what was started again by hand is nobody's wish.
        return { desired: isAtRest(own) ? { kind: 'unknown', reason: 'this run has ended' } : { kind: 'gone' } };
      }
      // Also when the store does not answer: what it began with decides.
      if (run.terms !== undefined) policies.set(id, policyOfRun(policy, run.terms));
      try {
        const record = await schedules.read(parts.scheduleId);
        return { desired: wishedWith(id, schedule.context, run, own, record) };
      } catch (error) {
        return { desired: { kind: 'unknown', reason: toDroverError(error).message }, unread: true };
      }
    },
  };
};
