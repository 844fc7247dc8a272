/**
 * Queries to running bots: straight to the query server in their container, over connections that are kept. What is said there
 * is bound to the container: an address that went to another one never answers for it (faults R39, R40).
 */
import type { Cancellation } from '../../domain/cancellation.ts';
import { DroverError } from '../../domain/errors.ts';
import { jsonText } from '../../domain/json-text.ts';
import { unlessAborted } from '../../domain/unless-aborted.ts';
import { QueryFailure, type Query, type QueryAnswer } from '../../domain/query.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QueryContainers } from '../../ports/query-containers.ts';
import type { ProxyReply, ProxyTarget, QueryProxy } from '../../ports/query-proxy.ts';
import { createBotLine } from './bot-line.ts';
import { boundBody, boundWhole, readSmall, type BoundedBody } from './bounded-body.ts';
import { createAddresses } from './addresses.ts';
import { failureOf, requireAnswer, saysError } from './judge-reply.ts';
import type { QueryPolicy } from './query-policy.ts';
import type { LiveBot } from './query-resolver.ts';
import { queryUrl } from './query-url.ts';
import { pause } from '../waits.ts';

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

interface Reached {
  readonly reply: ProxyReply;
  readonly target: ProxyTarget;
}

const isUnreachable = (thrown: unknown): boolean =>
  thrown instanceof DroverError && thrown.code === 'QUERY_UNREACHABLE';

export const createAskRunning = ({ containers, proxy, policy, clock }: AskRunningOptions): AskRunning => {
  const addresses = createAddresses({ containers, proxy });
  const line = createBotLine(policy.inFlightPerBot);

  const targetOf = async (bot: LiveBot): Promise<ProxyTarget> => {
    const look = await addresses.of(bot);
    switch (look.kind) {
      case 'target':
        return look.target;
      case 'mute':
        throw new QueryFailure('QUERY_UNSUPPORTED', `${bot.botId} has no query program`);
      case 'unreachable':
        throw new DroverError('QUERY_UNREACHABLE', 'the container of the bot has no network');
      case 'gone':
        throw new QueryFailure('BOT_NOT_READY', 'the container of the bot has just ended', {
          retryAfterS: RETRY_AFTER_S,
        });
    }
  };

  /** Nothing was asked where nobody was reached: asking again is safe. */
  const askReached = async (bot: LiveBot, query: Query, cancellation: Cancellation): Promise<Reached> => {
    const path = queryUrl(query.path, query.params);
    const request = Object.keys(query.params).length === 0 ? { path } : { path, body: jsonText(query.params) };
    for (let tries = 1; ; tries += 1) {
      let target: ProxyTarget | undefined;
      try {
        target = addresses.known(bot) ?? (await unlessAborted(targetOf(bot), cancellation.signal));
        return { reply: await target.ask({ ...request, cancellation }), target };
      } catch (thrown) {
        if (!isUnreachable(thrown)) throw thrown;
        // The next one looks at the container again: it may have another address by now.
        if (target !== undefined) addresses.forget(bot.botId, target);
        const isSettling = clock.now() - bot.startedAt < policy.settleMs;
        if (tries > 1 && !(isSettling && query.patient)) {
          if (!isSettling) throw thrown;
          const message = 'the query server of the bot does not listen yet';
          throw new QueryFailure('BOT_NOT_READY', message, { retryAfterS: RETRY_AFTER_S, cause: thrown });
        }
        if (tries > 1) await pause(clock, AGAIN_MS, cancellation.signal);
      }
    }
  };

  const answerWith = ({ botState }: LiveBot, { reply, target }: Reached, bounded: BoundedBody): QueryAnswer => {
    const { status, contentType } = reply;
    if (Buffer.isBuffer(bounded.body)) requireAnswer(bounded.body, contentType);
    return { status, contentType: contentType ?? 'application/json', ...bounded, way: target.endpoint.via, botState };
  };

  /** A small reply that is there whole, as nearly all are, is judged without waiting for anything. */
  const toAnswer = (bot: LiveBot, reached: Reached): QueryAnswer | Promise<QueryAnswer> => {
    const { status, body, bytes } = reached.reply;
    if (status < 200 || status >= 300) {
      return readSmall(body).then((said) => {
        throw failureOf(said, status);
      });
    }
    if (Buffer.isBuffer(body)) return answerWith(bot, reached, boundWhole(body, policy.maxReplyBytes));
    return boundBody(body, bytes, policy.maxReplyBytes).then(async ({ head, ...bounded }) => {
      if (head !== undefined && saysError(head)) throw failureOf(await readSmall(bounded.body));
      return answerWith(bot, reached, bounded);
    });
  };

  return {
    async ask(bot, query, cancellation) {
      const place = line.enter(bot.botId, cancellation);
      const done = place instanceof Promise ? await place : place;
      try {
        const reached = await askReached(bot, query, cancellation);
        const judged = toAnswer(bot, reached);
        const answer = judged instanceof Promise ? await judged : judged;
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
