/**
 * Queries to running bots: straight to the query server in their container, over connections that are kept. What is said there
 * is bound to the container: an address that went to another one never answers for it (faults R39, R40).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cancellation } from '../../domain/cancellation.ts';
import { DroverError } from '../../domain/errors.ts';
import { QueryFailure, type Query, type QueryAnswer } from '../../domain/query.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QueryContainers } from '../../ports/query-containers.ts';
import type { ProxyReply, ProxyTarget, QueryProxy } from '../../ports/query-proxy.ts';
import { boundBody, readSmall } from './bounded-body.ts';
import { createAddresses } from './addresses.ts';
import { failureOf, requireAnswer } from './judge-reply.ts';
import type { QueryPolicy } from './query-policy.ts';
import type { LiveBot } from './query-resolver.ts';
import { queryUrl } from './query-url.ts';

export interface AskRunningOptions {
  readonly containers: Pick<QueryContainers, 'endpointOf'>;
  readonly proxy: QueryProxy;
  readonly policy: QueryPolicy;
  readonly clock: Clock;
}

export interface AskRunning {
  /** @throws QueryFailure, DroverError as the engine does */
  ask(bot: LiveBot, query: Query, cancellation: Cancellation): Promise<QueryAnswer>;
  /** Connections to any other container of this bot are ended. */
  retain(botId: string, containerId: string | undefined): void;
  close(): void;
}

const AGAIN_MS = 100;
const RETRY_AFTER_S = 1;

const isUnreachable = (thrown: unknown): boolean =>
  thrown instanceof DroverError && thrown.code === 'QUERY_UNREACHABLE';

export const createAskRunning = ({ containers, proxy, policy, clock }: AskRunningOptions): AskRunning => {
  const addresses = createAddresses({ containers, proxy });
  const underWay = new Map<string, number>();

  const targetOf = async (bot: LiveBot): Promise<ProxyTarget> => {
    const look = await addresses.of(bot);
    switch (look.kind) {
      case 'target':
        return look.target;
      case 'mute':
        throw new QueryFailure('QUERY_UNSUPPORTED', `${bot.botId} has no query program`);
      case 'unreachable':
        throw new DroverError('QUERY_UNREACHABLE', 'its container has no network');
      case 'gone':
        throw new QueryFailure('BOT_NOT_READY', 'its container has just ended', { retryAfterS: RETRY_AFTER_S });
    }
  };

  const askOnce = async (bot: LiveBot, url: string, body: string | undefined, cancellation: Cancellation) => {
    const target = addresses.known(bot) ?? (await targetOf(bot));
    try {
      const reply = await target.ask({ path: url, cancellation, ...(body === undefined ? {} : { body }) });
      return { reply, target };
    } catch (thrown) {
      // The next one looks at the container again: it may have another address by now.
      if (isUnreachable(thrown)) addresses.forget(bot.botId, target);
      throw thrown;
    }
  };

  /** Nothing was asked where nobody was reached: asking again is safe. */
  const askReached = async (bot: LiveBot, query: Query, cancellation: Cancellation) => {
    const url = queryUrl(query.path, query.params);
    const body = Object.keys(query.params).length === 0 ? undefined : JSON.stringify(query.params);
    for (let tries = 1; ; tries += 1) {
      try {
        return await askOnce(bot, url, body, cancellation);
      } catch (thrown) {
        if (!isUnreachable(thrown)) throw thrown;
        const isSettling = clock.now() - bot.startedAt < policy.settleMs;
        if (tries > 1 && !(isSettling && query.patient)) {
          if (!isSettling) throw thrown;
          const message = 'its query server does not listen yet';
          throw new QueryFailure('BOT_NOT_READY', message, { retryAfterS: RETRY_AFTER_S, cause: thrown });
        }
        if (tries > 1) await sleep(AGAIN_MS, undefined, { signal: cancellation.signal });
      }
    }
  };

  const toAnswer = async (
    bot: LiveBot,
    { reply, target }: { reply: ProxyReply; target: ProxyTarget },
  ): Promise<QueryAnswer> => {
    const { status, contentType, bytes } = reply;
    if (status < 200 || status >= 300) throw failureOf(await readSmall(reply.body), status);
    const bounded = await boundBody(reply.body, bytes, policy.maxReplyBytes);
    if (Buffer.isBuffer(bounded.body)) requireAnswer(bounded.body, contentType);
    const { botState } = bot;
    return { status, contentType: contentType ?? 'application/json', ...bounded, way: target.endpoint.via, botState };
  };

  return {
    async ask(bot, query, cancellation) {
      const { botId } = bot;
      const busy = underWay.get(botId) ?? 0;
      if (busy >= policy.inFlightPerBot) {
        const message = `${String(busy)} queries are under way at this bot`;
        throw new QueryFailure('QUERY_OVERLOADED', message, { retryAfterS: RETRY_AFTER_S });
      }
      underWay.set(botId, busy + 1);
      const done = (): void => {
        const left = (underWay.get(botId) ?? 1) - 1;
        if (left === 0) underWay.delete(botId);
        else underWay.set(botId, left);
      };
      try {
        const answer = await toAnswer(bot, await askReached(bot, query, cancellation));
        if (Buffer.isBuffer(answer.body)) done();
        else answer.body.once('close', done);
        return answer;
      } catch (thrown) {
        done();
        throw thrown;
      }
    },
    retain: addresses.retain,
    close: addresses.close,
  };
};
