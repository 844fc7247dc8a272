/** Commits as transitions, one after another. A log that cannot be folded is told once and then passed over. */
import type { BotState } from '../domain/bot-state.ts';
import type { Commit } from '../domain/recorded.ts';
import type { ScheduleState } from '../domain/schedule-state.ts';
import { BOT_STREAMS, RUN_STREAMS, SCHEDULE_STREAMS, type StreamKind } from '../domain/streams.ts';
import type { Transition } from '../domain/transition.ts';
import { BOT, SCHEDULE, type AnyState, type Machine } from '../machines/machine.ts';
import { isRunOver } from '../machines/schedule/run-view.ts';
import type { Versioned } from '../machines/snapshot.ts';
import type { Logger } from '../ports/logger.ts';
import { foldCommit, type Step } from './fold-commit.ts';
import { toBotTransition, toScheduleTransition } from './to-transitions.ts';

type Folds<S> = Iterable<readonly [string, Versioned<S>]>;

/** Where to go on from: without it, from the beginning of each log. */
export interface TransitionSeeds {
  readonly bots?: Folds<BotState>;
  readonly runs?: Folds<BotState>;
  readonly schedules?: Folds<ScheduleState>;
}

type FoldOne = (commit: Commit) => readonly Transition[] | undefined;

interface KindOptions<S extends AnyState, E extends { readonly at: number; readonly type: string }> {
  readonly machine: Machine<S, E>;
  readonly streams: StreamKind;
  readonly seeds: Folds<S> | undefined;
  readonly toTransition: (id: string, commit: Commit, step: Step<S, E>) => Transition;
  /** Nothing more comes of it: it need not be remembered. */
  readonly isOver?: (state: S) => boolean;
}

/** Undefined for a stream of another kind. */
const foldKind = <S extends AnyState, E extends { readonly at: number; readonly type: string }>(
  options: KindOptions<S, E>,
): FoldOne => {
  const { machine, streams, seeds = [], toTransition, isOver } = options;
  const folds = new Map(seeds);
  return (commit) => {
    const id = streams.idOf(commit.stream);
    if (id === undefined) return undefined;
    const { after, steps } = foldCommit(machine, folds.get(id) ?? { state: machine.initial, version: 0 }, commit);
    if (isOver?.(after.state) === true) folds.delete(id);
    else folds.set(id, after);
    return steps.map((step) => toTransition(id, commit, step));
  };
};

export const createTransitionFold = (logger: Logger, seeds: TransitionSeeds = {}) => {
  const broken = new Set<string>();
  const kinds: readonly FoldOne[] = [
    foldKind({
      machine: BOT,
      streams: BOT_STREAMS,
      seeds: seeds.bots,
      toTransition: (id, commit, step) => toBotTransition('bot', id, commit, step),
    }),
    foldKind({
      machine: BOT,
      streams: RUN_STREAMS,
      seeds: seeds.runs,
      toTransition: (id, commit, step) => toBotTransition('run', id, commit, step),
      isOver: isRunOver,
    }),
    foldKind({
      machine: SCHEDULE,
      streams: SCHEDULE_STREAMS,
      seeds: seeds.schedules,
      toTransition: toScheduleTransition,
    }),
  ];
  return (commit: Commit): readonly Transition[] => {
    const { stream, position } = commit;
    if (broken.has(stream)) return [];
    try {
      for (const kind of kinds) {
        const transitions = kind(commit);
        if (transitions !== undefined) return transitions;
      }
      return [];
    } catch (error) {
      broken.add(stream);
      logger.error('cannot fold an event stream', { stream, position, error });
      return [];
    }
  };
};
