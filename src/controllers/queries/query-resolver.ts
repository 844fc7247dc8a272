/**
 * QueryResolver: who is meant by an id, and how it can be asked. Read off ServiceState and the folds of schedules: no store is
 * read and the engine is not looked at, but for an id that no log knows (pitfalls 62–64, 66).
 */
import type { BotId } from '../../domain/bot.ts';
import type { BotState } from '../../domain/bot-state.ts';
import type { InstanceRole } from '../../domain/naming.ts';
import type { InstanceRef } from '../../domain/observation.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import type { FoldStore } from '../fold-store.ts';

interface Known {
  readonly botId: BotId;
  /** For people and programs: the state, `paused` for a frozen container. */
  readonly botState: string;
}

/** One without a running container: it is asked in one of its own. */
export interface RestingBot extends Known {
  readonly kind: 'resting';
  readonly of: InstanceRole;
  readonly incarnation: number;
}

export interface LiveBot extends Known {
  readonly kind: 'live';
  readonly ref: InstanceRef;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly incarnation: number;
}

export type Resolved =
  | LiveBot
  | RestingBot
  /** It starts or stops: neither its server nor its state is to be relied on (feature F6). */
  | (Known & { readonly kind: 'moving'; readonly incarnation: number })
  | (Known & { readonly kind: 'paused'; readonly incarnation: number });

/** It was resting when a query came, and is not when it is that query's turn: to be routed anew. */
export class NoLongerResting extends Error {}

export interface ResolverOptions {
  readonly bots: Pick<FoldStore<BotState>, 'folds'>;
  readonly schedules: Pick<FoldStore<ScheduleState>, 'folds'>;
  readonly specs: Pick<SpecStore, 'read' | 'idOf'>;
  readonly scheduleSpecs: Pick<ScheduleStore, 'read' | 'idOf'>;
}

export interface QueryResolver {
  /** What the logs say: nothing is waited for. Undefined: they know no such id. */
  known(id: BotId): Resolved | undefined;
  /** Undefined for an id that nobody knows. @throws DroverError STORE_UNAVAILABLE: that is not the same as unknown */
  find(id: BotId): Promise<Resolved | undefined>;
}

const ofBot = (botId: BotId, { at, context }: BotState): Resolved => {
  const { incarnation, container } = context;
  if (at === 'starting' || at === 'stopping') return { kind: 'moving', botId, botState: at, incarnation };
  if (at !== 'running' || container === null || container.exited === true) {
    return { kind: 'resting', botId, botState: at, of: 'bot', incarnation };
  }
  if (container.paused === true) return { kind: 'paused', botId, botState: 'paused', incarnation };
  return { kind: 'live', botId, botState: at, ref: container.ref, startedAt: container.startedAt ?? 0, incarnation };
};

export const createQueryResolver = ({ bots, schedules, specs, scheduleSpecs }: ResolverOptions): QueryResolver => {
  /** A bot of an id wins over a schedule of the same (contract §8.3). */
  const inLogs = (id: BotId): Resolved | undefined => {
    const bot = bots.folds().get(id)?.state;
    if (bot !== undefined && bot.context.incarnation > 0 && bot.at !== 'deleted') return ofBot(id, bot);
    const schedule = schedules.folds().get(id)?.state;
    if (schedule === undefined || schedule.context.incarnation === 0 || schedule.at === 'deleted') return undefined;
    return { kind: 'resting', botId: id, botState: schedule.at, of: 'run', incarnation: schedule.context.incarnation };
  };

  /** Wished a moment ago, or while no drover runs that would start it. */
  const inStores = async (id: BotId): Promise<Resolved | undefined> => {
    const [bot, schedule] = await Promise.all([specs.read(id), scheduleSpecs.read(id)]);
    const of =
      bot != null && bot.document !== null ? 'bot' : schedule != null && schedule.document !== null ? 'run' : undefined;
    if (of === undefined) return undefined;
    const fold = (of === 'bot' ? bots : schedules).folds().get(id)?.state;
    // As the log will count it: what was there before is never inherited.
    const incarnation = (fold?.context.incarnation ?? 0) + 1;
    return { kind: 'resting', botId: id, botState: 'stopped', of, incarnation };
  };

  return {
    known: inLogs,
    async find(id) {
      const known = inLogs(id) ?? (await inStores(id));
      if (known !== undefined) return known;
      // Callers of the reference may hand in the document's own `_id` (contract §3).
      const meant = (await specs.idOf?.(id)) ?? (await scheduleSpecs.idOf?.(id));
      return meant === undefined || meant === id ? undefined : (inLogs(meant) ?? (await inStores(meant)));
    },
  };
};
