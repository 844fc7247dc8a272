/**
 * Ephemeral query containers: never more than a number of them, those that answered kept warm for a while, a bounded queue before
 * them (features F4, F7). One container answers one query at a time.
 */
import { QueryFailure } from '../../domain/query.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QueryContainer } from '../../ports/query-containers.ts';

export interface QueryPoolOptions {
  readonly size: number;
  readonly queue: number;
  readonly warmTtlMs: number;
  /** Asked before one is kept. */
  readonly mayKeep: () => boolean;
  readonly clock: Clock;
}

export interface Wanted {
  readonly botId: string;
  /** Everything that a container was made from: only one of the same key answers. */
  readonly key: string;
  readonly open: () => Promise<QueryContainer>;
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
  /** @throws QueryFailure QUERY_OVERLOADED; what `open` throws; the signal's reason */
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

interface Waiter {
  readonly key: string;
  readonly take: (kept: Kept | undefined) => void;
}

const RETRY_AFTER_S = 2;

export const createQueryPool = (options: QueryPoolOptions): QueryPool => {
  const { size, queue, warmTtlMs, mayKeep, clock } = options;
  /** Oldest first. */
  const warm = new Set<Kept>();
  const waiting: Waiter[] = [];
  const removals = new Set<Promise<void>>();
  /** Grows with each drop: what was lent before is not kept. */
  const drops = new Map<string, number>();
  let free = size;
  let busy = 0;
  let closed = false;

  /** A place became free: the first who waits has it. */
  const freePlace = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next.take(undefined);
  };

  /** Its place is free once it is gone: there are never more than `size`. */
  const remove = (container: QueryContainer): void => {
    const removal = container.remove().finally(() => {
      removals.delete(removal);
      freePlace();
    });
    removals.add(removal);
  };

  const unkeep = (kept: Kept): void => {
    if (!warm.delete(kept)) return;
    kept.cancel();
    remove(kept.container);
  };

  const keep = (kept: Kept): void => {
    const [first] = waiting;
    if (first !== undefined) {
      waiting.shift();
      if (first.key === kept.key) {
        first.take(kept);
        return;
      }
      // Its place is what they wait for.
      waiting.unshift(first);
      remove(kept.container);
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

  /** A place, or a warm container of this key. */
  const place = async ({ key, signal }: Wanted): Promise<Kept | undefined> => {
    const found = takeWarm(key);
    if (found !== undefined) return found;
    if (free > 0) {
      free -= 1;
      return undefined;
    }
    if (waiting.length >= queue) {
      const message = `${String(size)} query containers are in use and ${String(queue)} queries wait`;
      throw new QueryFailure('QUERY_OVERLOADED', message, { retryAfterS: RETRY_AFTER_S });
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = waiting.indexOf(waiter);
        if (at >= 0) waiting.splice(at, 1);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        key,
        take: (kept) => {
          signal.removeEventListener('abort', leave);
          resolve(kept);
        },
      };
      waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
      // The one that was kept the longest makes room.
      const [oldest] = warm;
      if (oldest !== undefined) unkeep(oldest);
    });
  };

  const lent = (kept: Kept, isWarm: boolean): Lent => {
    const { botId, container } = kept;
    const dropsThen = drops.get(botId) ?? 0;
    busy += 1;
    let given = false;
    return {
      container,
      warm: isWarm,
      giveBack(answered) {
        if (given) return;
        given = true;
        busy -= 1;
        const isSame = (drops.get(botId) ?? 0) === dropsThen;
        if (answered && isSame && warmTtlMs > 0 && !closed && !container.ended.aborted && mayKeep()) keep(kept);
        else remove(container);
      },
    };
  };

  return {
    async lend(wanted) {
      wanted.signal.throwIfAborted();
      const kept = await place(wanted);
      if (kept !== undefined) return lent(kept, true);
      const { botId, key } = wanted;
      const dropsThen = drops.get(botId) ?? 0;
      try {
        if (closed) throw new QueryFailure('QUERY_ENDING', 'drover ends');
        wanted.signal.throwIfAborted();
        const opened = lent({ botId, key, container: await wanted.open(), cancel: () => undefined }, false);
        const isSame = (drops.get(botId) ?? 0) === dropsThen;
        return {
          ...opened,
          giveBack: (answered) => {
            opened.giveBack(answered && isSame);
          },
        };
      } catch (thrown) {
        freePlace();
        throw thrown;
      }
    },
    drop(botId) {
      if (busy > 0) drops.set(botId, (drops.get(botId) ?? 0) + 1);
      else drops.clear();
      for (const kept of [...warm]) if (kept.botId === botId) unkeep(kept);
    },
    dropAll() {
      for (const kept of [...warm]) unkeep(kept);
    },
    counts: () => ({ busy, warm: warm.size, waiting: waiting.length }),
    async close() {
      closed = true;
      for (const kept of [...warm]) unkeep(kept);
      await Promise.all([...removals]);
    },
  };
};
