/**
 * Ephemeral query containers: never more than a number of them, those that answered kept warm for a while (features F4, F7). One
 * container answers one query at a time.
 */
import { QueryFailure } from '../../domain/query.ts';
import { waitInLine, type Waiter } from '../../domain/waiting-line.ts';
import { unlessAborted } from '../../domain/unless-aborted.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QueryContainer } from '../../ports/query-containers.ts';
import { createTurns } from './query-turns.ts';

export interface QueryPoolOptions {
  readonly size: number;
  readonly queue: number;
  readonly warmTtlMs: number;
  /** Asked before one is kept. */
  readonly mayKeep: () => boolean;
  readonly clock: Clock;
}

/** What a container is made from. */
export interface Recipe {
  /** Everything of it: only a kept one of the same key answers. */
  readonly key: string;
  readonly open: () => Promise<QueryContainer>;
}

export interface Wanted {
  readonly botId: string;
  /** Asked when it is this query's turn: what waited long must not answer from what was true before. */
  readonly recipe: () => Promise<Recipe>;
  readonly signal: AbortSignal;
}

export interface Lent {
  readonly container: QueryContainer;
  /** It had been kept. */
  readonly warm: boolean;
  /** Once, whatever happened. `answered`: it may be kept. */
  giveBack(answered: boolean): void;
}

export interface QueryPool {
  /** @throws QueryFailure QUERY_OVERLOADED; what `recipe` and `open` throw; the signal's reason */
  lend(wanted: Wanted): Promise<Lent>;
  /** Nothing of this bot is kept any more: its state, code or spec changed. Those in use go when they are given back. */
  drop(botId: string): void;
  /** Nothing is kept any more: memory is short. */
  dropAll(): void;
  counts(): { readonly busy: number; readonly warm: number; readonly waiting: number };
  /** Removes all; resolves when they are gone. */
  close(): Promise<void>;
}

interface Kept {
  readonly botId: string;
  readonly key: string;
  readonly container: QueryContainer;
  cancel: () => void;
}

/** A query whose turn it is. */
interface Use {
  readonly botId: string;
  /** Something happened to the bot since. */
  isStale: boolean;
  readonly end: () => void;
}

export const createQueryPool = (options: QueryPoolOptions): QueryPool => {
  const { size, queue, warmTtlMs, mayKeep, clock } = options;
  const turns = createTurns({ size, queue });
  /** Oldest first. */
  const warm = new Set<Kept>();
  const uses = new Set<Use>();
  const removals = new Set<Promise<void>>();
  /** Queries whose turn it is, that wait for room; by key. */
  const seekers: Waiter<string, Kept | undefined>[] = [];
  /** Containers that are made, in use, kept or on their way out. */
  let there = 0;
  let isClosed = false;

  /** Whoever has waited the longest for room has it. */
  const admit = (): void => {
    while (there < size) {
      const next = seekers.shift();
      if (next === undefined) return;
      there += 1;
      next.take(undefined);
    }
  };

  const left = (): void => {
    there -= 1;
    admit();
  };

  const track = (work: Promise<void>): void => {
    const tracked = work.finally(() => {
      removals.delete(tracked);
      left();
    });
    removals.add(tracked);
  };

  const remove = (container: QueryContainer): void => {
    track(container.remove());
  };

  const unkeep = (kept: Kept): void => {
    if (!warm.delete(kept)) return;
    kept.cancel();
    remove(kept.container);
  };

  const keep = (kept: Kept): void => {
    const [first] = seekers;
    if (first !== undefined) {
      // Its place is what they wait for, if it is not the very one.
      if (first.place !== kept.key) {
        remove(kept.container);
        return;
      }
      seekers.shift();
      first.take(kept);
      return;
    }
    warm.add(kept);
    const ended = (): void => {
      unkeep(kept);
    };
    const cancelTimer = clock.after(warmTtlMs, ended);
    kept.container.ended.addEventListener('abort', ended, { once: true });
    kept.cancel = () => {
      cancelTimer();
      kept.container.ended.removeEventListener('abort', ended);
    };
  };

  const takeWarm = (key: string): Kept | undefined => {
    const found = [...warm].find((kept) => kept.key === key && !kept.container.ended.aborted);
    if (found === undefined) return undefined;
    warm.delete(found);
    found.cancel();
    return found;
  };

  /**
   * Of `size` turns one has no container yet, so where there are as many, one is kept or goes: the oldest kept makes room. A
   * kept one of the same key may come instead.
   */
  const findRoom = async (key: string, signal: AbortSignal): Promise<Kept | undefined> => {
    if (there < size && seekers.length === 0) {
      there += 1;
      return undefined;
    }
    const wait = waitInLine(seekers, key, signal);
    const [oldest] = warm;
    if (oldest !== undefined) unkeep(oldest);
    return wait;
  };

  const lent = (kept: Kept, isWarm: boolean, use: Use): Lent => ({
    container: kept.container,
    warm: isWarm,
    giveBack(answered) {
      if (!uses.delete(use)) return;
      const isGood = answered && !use.isStale && !kept.container.ended.aborted;
      if (isGood && warmTtlMs > 0 && !isClosed && mayKeep()) keep(kept);
      else remove(kept.container);
      use.end();
    },
  });

  /** Told at once when it is given up; its place and its turn are free when nothing is left of it. */
  const openFor = async ({ open }: Recipe, signal: AbortSignal, ended: () => void): Promise<QueryContainer> => {
    const opening = open();
    try {
      return await unlessAborted(opening, signal);
    } catch (thrown) {
      const gone = opening.then(
        (container) => container.remove(),
        () => undefined,
      );
      track(gone.finally(ended));
      throw thrown;
    }
  };

  return {
    async lend({ botId, recipe, signal }) {
      const use: Use = { botId, isStale: false, end: await turns.take(botId, signal) };
      uses.add(use);
      const ended = (): void => {
        uses.delete(use);
        use.end();
      };
      let made: Recipe;
      let found: Kept | undefined;
      try {
        made = await unlessAborted(recipe(), signal);
        if (isClosed) throw new QueryFailure('QUERY_ENDING', 'drover is shutting down');
        found = takeWarm(made.key) ?? (await findRoom(made.key, signal));
      } catch (thrown) {
        ended();
        throw thrown;
      }
      if (found !== undefined) return lent(found, true, use);
      const container = await openFor(made, signal, ended);
      return lent({ botId, key: made.key, container, cancel: () => undefined }, false, use);
    },
    drop(botId) {
      for (const use of uses) if (use.botId === botId) use.isStale = true;
      for (const kept of [...warm]) if (kept.botId === botId) unkeep(kept);
    },
    dropAll() {
      for (const kept of [...warm]) unkeep(kept);
    },
    counts: () => ({ busy: uses.size, warm: warm.size, waiting: turns.waiting() }),
    async close() {
      isClosed = true;
      for (const kept of [...warm]) unkeep(kept);
      while (removals.size > 0) await Promise.all([...removals]);
    },
  };
};
