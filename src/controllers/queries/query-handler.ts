/** QueryHandler: one query from the caller to the bot and back, within its time, and told for what it is. */
import { CallerGone, type Cancellation } from '../../domain/cancellation.ts';
import { DroverError, toDroverError } from '../../domain/errors.ts';
import { unlessAborted } from '../../domain/unless-aborted.ts';
import { QueryFailure, type Query, type QueryAnswer } from '../../domain/query.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QueryHandler } from '../../ports/query-handler.ts';
import { atMost, pause } from '../waits.ts';
import { createBotLimit } from './bot-limit.ts';
import type { AskResting } from './ask-resting.ts';
import type { AskRunning } from './ask-running.ts';
import type { QueryCounters } from './query-counters.ts';
import { NoLongerResting, type QueryResolver, type Resolved, type RestingBot } from './query-resolver.ts';

export interface QueryHandlerOptions {
  readonly resolver: QueryResolver;
  readonly running: Pick<AskRunning, 'ask'>;
  readonly resting: AskResting;
  readonly counters: QueryCounters;
  /** The logs are read. */
  readonly isReady: () => boolean;
  /** Queries that may wait until one bot has started or stopped; beyond it 429. */
  readonly waitingPerBot: number;
  readonly clock: Clock;
}

export interface EndingQueryHandler extends QueryHandler {
  /** Takes no more; what is under way has `withinMs`, and is told then that drover ends (fault R22). */
  end(withinMs: number): Promise<void>;
}

const LOOK_AGAIN_MS = 50;
/** For those that were cut off to say so. */
const CUT_MS = 500;
const RETRY_AFTER_S: Readonly<Record<string, number>> = { starting: 1, stopping: 2 };

const late = ({ timeoutMs }: Query): DroverError =>
  new DroverError('QUERY_TIMEOUT', `the bot did not answer within ${String(timeoutMs)} ms`);

const notReady = (message: string, retryAfterS = 1): QueryFailure =>
  new QueryFailure('BOT_NOT_READY', message, { retryAfterS });

const isNotReady = (thrown: unknown): boolean => thrown instanceof QueryFailure && thrown.code === 'BOT_NOT_READY';

/** In a container of its own, whatever else runs of it. */
const asResting = (bot: Exclude<Resolved, RestingBot>): RestingBot => {
  const { botId, botState, incarnation } = bot;
  return { kind: 'resting', botId, botState, of: 'bot', incarnation };
};

/** Whatever ended a query, as what its caller is told. */
const toFailure = (thrown: unknown, botState: string | undefined): QueryFailure => {
  const error = toDroverError(thrown);
  const more = error instanceof QueryFailure ? error : undefined;
  return new QueryFailure(error.code, error.message, {
    botState: more?.botState ?? botState,
    said: more?.said,
    retryAfterS: more?.retryAfterS,
    botStatus: more?.botStatus,
    cause: thrown,
  });
};

export const createQueryHandler = (options: QueryHandlerOptions): EndingQueryHandler => {
  const { resolver, running, resting, counters, isReady, clock } = options;
  const waiting = createBotLimit(options.waitingPerBot);
  /** Of each query that is under way: how it is cut off. */
  const underWay = new Set<(reason: Error) => void>();
  let idle: () => void = () => undefined;
  let closed = false;

  /** @throws QueryFailure, NoLongerResting */
  const route = (query: Query, found: Resolved, cancellation: Cancellation): Promise<QueryAnswer> => {
    if (query.asOf !== undefined) {
      return resting(found.kind === 'resting' ? found : asResting(found), query, cancellation.signal);
    }
    switch (found.kind) {
      case 'live':
        return running.ask(found, query, cancellation);
      case 'resting':
        return resting(found, query, cancellation.signal);
      case 'paused':
        throw new QueryFailure('BOT_PAUSED', 'the container of the bot is paused');
      case 'moving':
        throw notReady(`the bot is ${found.botState}`, RETRY_AFTER_S[found.botState]);
    }
  };

  const settled = async (query: Query, cancellation: Cancellation): Promise<QueryAnswer> => {
    const { botId, patient } = query;
    let botState: string | undefined;
    let leave: (() => void) | undefined;
    try {
      for (;;) {
        try {
          // Before the logs are read every bot would look as if it did not run.
          if (!isReady()) throw notReady('drover is still reading its event log');
          const found = resolver.known(botId) ?? (await unlessAborted(resolver.find(botId), cancellation.signal));
          if (found === undefined) throw new QueryFailure('BOT_NOT_FOUND', `there is no bot ${JSON.stringify(botId)}`);
          botState = found.botState;
          return await route(query, found, cancellation);
        } catch (thrown) {
          const isPassing = thrown instanceof NoLongerResting || (patient && isNotReady(thrown));
          if (!isPassing) throw thrown;
        }
        leave ??= waiting.enter(botId);
        await pause(clock, LOOK_AGAIN_MS, cancellation.signal);
      }
    } catch (thrown) {
      // A cancelled call fails in its own words: what counts is why it was cancelled.
      throw toFailure(thrown instanceof QueryFailure ? thrown : (cancellation.reason ?? thrown), botState);
    } finally {
      leave?.();
    }
  };

  /** Under way until the answer was read, or there is none. */
  const watched = async (query: Query, cancellation: Cancellation): Promise<QueryAnswer> => {
    const cut = (reason: Error): void => {
      cancellation.cancel(reason);
    };
    const noLonger = clock.after(query.timeoutMs, () => {
      cut(late(query));
    });
    underWay.add(cut);
    const done = (): void => {
      noLonger();
      underWay.delete(cut);
      if (underWay.size === 0) idle();
    };
    try {
      const answer = await settled(query, cancellation);
      const { body, botState, way } = answer;
      counters.answered(way);
      if (Buffer.isBuffer(body)) done();
      else {
        cancellation.onCancel(() => body.destroy(toFailure(cancellation.reason, botState)));
        body.once('close', done);
      }
      return answer;
    } catch (thrown) {
      done();
      const failure = toFailure(thrown, undefined);
      if (!(cancellation.reason instanceof CallerGone)) counters.failed(failure.code);
      throw failure;
    }
  };

  return {
    ask(query, cancellation) {
      if (!closed) return watched(query, cancellation);
      counters.failed('QUERY_ENDING');
      return Promise.reject(new QueryFailure('QUERY_ENDING', 'drover is shutting down', { retryAfterS: 1 }));
    },
    metrics: () => counters.metrics(underWay.size),
    async end(withinMs) {
      closed = true;
      const all = underWay.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => (idle = resolve));
      await atMost(clock, all, withinMs);
      for (const cut of [...underWay])
        cut(new QueryFailure('QUERY_ENDING', 'drover is shutting down', { retryAfterS: 1 }));
      await atMost(clock, all, CUT_MS);
    },
  };
};
