/**
 * Which runs are kept in mind: those that their schedule wishes, and those of whose container or state something is left to be
 * done. All others are in the log alone, however many there were.
 */
import type { BotState } from '../../domain/bot-state.ts';
import type { Cause } from '../../domain/recorded.ts';
import type { Effect } from '../../domain/effect.ts';
import { partsOfRun, runId } from '../../domain/run-id.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { isRunOver } from '../../machines/schedule/run-view.ts';
import type { FoldStore } from '../fold-store.ts';

export interface RunKeeperOptions {
  readonly states: Pick<FoldStore<ScheduleState>, 'folds'>;
  readonly runs: Pick<FoldStore<BotState>, 'folds' | 'load' | 'evict'>;
  /** Told of each that is forgotten. */
  readonly onForgotten: (id: string) => void;
}

export interface RunKeeper {
  /** Ids of all runs that are wished, with what their schedule asked of them. */
  wished(): ReadonlyMap<string, { readonly stop: boolean }>;
  /** Does the engine only tell what the log has: the end of one that is over, or the start that we have just seen? */
  isEcho(id: string, cause: Cause): boolean;
  /** Takes those in that the logs of the schedules name: after a start of this process. */
  restore(): Promise<void>;
  /** Forgets it when nothing is left to be done. */
  tidy(id: string): void;
  /** A volume is synced by a tool only while no run works on it, and only for the latest run: others went on from there. */
  permits(id: string, effect: Effect): boolean;
}

const LOADED_AT_ONCE = 32;

export const createRunKeeper = ({ states, runs, onForgotten }: RunKeeperOptions): RunKeeper => {
  const scheduleOf = (id: string): ScheduleState | undefined =>
    states.folds().get(partsOfRun(id)?.scheduleId ?? '')?.state;
  const isWished = (id: string): boolean => {
    const key = partsOfRun(id)?.key;
    return scheduleOf(id)?.context.runs.some((run) => run.key === key && run.begunAt !== null) === true;
  };
  /** A later start of the same schedule has taken over what lies on the volume. */
  const isOvertaken = (id: string, { context }: BotState): boolean =>
    context.container === null &&
    context.readsOnly !== true &&
    (scheduleOf(id)?.context.writerAttempt ?? 0) > context.attempt;

  return {
    wished() {
      const found = new Map<string, { readonly stop: boolean }>();
      for (const [scheduleId, { state }] of states.folds()) {
        for (const { key, begunAt, stop } of state.context.runs) {
          if (begunAt !== null) found.set(runId({ scheduleId, key }), { stop: stop !== null });
        }
      }
      return found;
    },
    isEcho(id, cause) {
      if (cause.kind !== 'docker') return false;
      const state = runs.folds().get(id)?.state;
      if (state === undefined) return !isWished(id);
      const isOurs = state.context.container?.ref.id === cause.container;
      return isOurs && state.at === 'running' && (cause.action === 'create' || cause.action === 'start');
    },
    async restore() {
      const left = [...states.folds()].flatMap(([scheduleId, { state }]) => {
        const { runs: active, ended } = state.context;
        const keys = [
          ...active.filter(({ begunAt }) => begunAt !== null).map(({ key }) => key),
          ...ended.filter(({ unsynced }) => unsynced === true).map(({ key }) => key),
        ];
        return keys.map((key) => runId({ scheduleId, key }));
      });
      const lane = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          // One broken log must not stop the others: its own turn is refused.
          await runs.load(next).catch(() => undefined);
        }
      };
      await Promise.all(Array.from({ length: LOADED_AT_ONCE }, lane));
    },
    tidy(id) {
      const state = runs.folds().get(id)?.state;
      if (state === undefined || isWished(id)) return;
      if (state.context.incarnation > 0 && !isRunOver(state) && !isOvertaken(id, state)) return;
      runs.evict(id);
      onForgotten(id);
    },
    permits(id, effect) {
      if (effect.type !== 'EnsureSynced' || effect.readsOnly === true) return true;
      const schedule = scheduleOf(id)?.context;
      const isBusy = schedule?.runs.some(({ begunAt, writes }) => begunAt !== null && writes) === true;
      const own = runs.folds().get(id)?.state.context.attempt ?? effect.attempt;
      return !isBusy && (schedule?.writerAttempt ?? 0) <= own;
    },
  };
};
