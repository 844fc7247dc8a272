/**
 * Queries to bots that do not run, and to states of the past: in an ephemeral container that reads the state and stores nothing
 * (features F2, F9). What it was made from is looked at anew for each query, so no kept one answers for what has changed.
 */
import { canonicalJson } from '../../domain/json.ts';
import type { BotSpec } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import { QueryFailure, type Query, type QueryAnswer } from '../../domain/query.ts';
import { specHash } from '../../domain/spec-hash.ts';
import { decodeBotDocument, type SpecDefaults } from '../../documents/bot-document.ts';
import type { ArchiveStore } from '../../ports/archive-store.ts';
import type { ContainerReply, QueryContainers, QueryPlan } from '../../ports/query-containers.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import { boundBody, readSmall } from './bounded-body.ts';
import { failureOf, requireAnswer } from './judge-reply.ts';
import type { QueryPolicy } from './query-policy.ts';
import type { Lent, QueryPool } from './query-pool.ts';
import type { RestingBot } from './query-resolver.ts';

export interface AskRestingOptions {
  readonly specs: Pick<SpecStore, 'read'>;
  readonly scheduleSpecs: Pick<ScheduleStore, 'read'>;
  readonly archives: Pick<ArchiveStore, 'digestOfCode'>;
  readonly defaults: SpecDefaults;
  readonly containers: QueryContainers;
  readonly pool: QueryPool;
  readonly policy: QueryPolicy;
}

/** @throws QueryFailure, DroverError */
export type AskResting = (bot: RestingBot, query: Query, signal: AbortSignal) => Promise<QueryAnswer>;

/** Parameters are variables of the process, and a system takes no longer ones. */
const MAX_PARAMS = 120 * 1024;

const keyOf = ({ spec, asOf, avoidVolume, ...plan }: QueryPlan): string =>
  canonicalJson({ id: spec.id, asOf: asOf ?? null, avoidVolume: avoidVolume === true, ...plan });

export const createAskResting = (options: AskRestingOptions): AskResting => {
  const { specs, scheduleSpecs, archives, defaults, containers, pool, policy } = options;

  const specOf = async ({ botId, of }: RestingBot): Promise<BotSpec> => {
    const record = await (of === 'bot' ? specs : scheduleSpecs).read(botId);
    if (record === undefined || record.document === null) {
      throw new QueryFailure('BOT_NOT_FOUND', `there is no bot ${JSON.stringify(botId)}`);
    }
    const decoded = decodeBotDocument(botId, record.document, defaults, of === 'bot' ? 'realtime' : 'scheduled');
    if (decoded.kind === 'invalid') throw new DroverError(decoded.code, decoded.reason);
    return decoded.spec;
  };

  const planFor = async (bot: RestingBot, { asOf }: Query): Promise<QueryPlan> => {
    const spec = await specOf(bot);
    if (spec.entrypoints.query === undefined) {
      throw new QueryFailure('QUERY_UNSUPPORTED', `${bot.botId} has no query program`);
    }
    const { filePath } = spec.code;
    const digest = await archives.digestOfCode(filePath);
    if (digest === undefined) throw new DroverError('ARCHIVE_MISSING', `there is no code archive at ${filePath}`);
    return {
      spec,
      specHash: specHash(spec),
      incarnation: bot.incarnation,
      of: bot.of,
      digest: digest.sha256,
      ...(asOf === undefined ? {} : { asOf }),
      maxReplyBytes: policy.maxReplyBytes,
    };
  };

  const toAnswer = async (reply: ContainerReply, lent: Lent, bot: RestingBot): Promise<QueryAnswer> => {
    const { exitCode, bytes, body, state } = reply;
    if (exitCode !== 0) {
      const failure = failureOf(await readSmall(body));
      lent.giveBack(body.readableEnded);
      throw failure;
    }
    const bounded = await boundBody(body, bytes, policy.maxReplyBytes);
    if (Buffer.isBuffer(bounded.body)) {
      lent.giveBack(true);
      requireAnswer(bounded.body, undefined);
    } else {
      bounded.body.once('close', () => {
        lent.giveBack(body.readableEnded);
      });
    }
    const way = lent.warm ? 'warm' : 'cold';
    return { status: 200, contentType: 'application/json', ...bounded, way, botState: bot.botState, state };
  };

  const askIn = async (plan: QueryPlan, bot: RestingBot, query: Query, signal: AbortSignal): Promise<QueryAnswer> => {
    const { path, params, timeoutMs } = query;
    const open = () => containers.open(plan, signal);
    const lent = await pool.lend({ botId: bot.botId, key: keyOf(plan), open, signal });
    try {
      return await toAnswer(await lent.container.ask({ path, params, timeoutMs }, signal), lent, bot);
    } catch (thrown) {
      // Whatever it is good for now: nobody knows. One that was given back already stays as it is.
      lent.giveBack(false);
      // A kept one that had just ended is no fault of this query, which changed nothing: another one answers it.
      if (lent.warm && lent.container.ended.aborted && !signal.aborted) return askIn(plan, bot, query, signal);
      throw thrown;
    }
  };

  return async (bot, query, signal) => {
    if (JSON.stringify(query.params).length > MAX_PARAMS) {
      throw new QueryFailure('QUERY_BODY_TOO_LARGE', `the parameters take more than ${String(MAX_PARAMS)} bytes`);
    }
    const plan = await planFor(bot, query);
    signal.throwIfAborted();
    try {
      return await askIn(plan, bot, query, signal);
    } catch (thrown) {
      // A restore broke off on the volume: what is whole lies in the archive store.
      if (!(thrown instanceof DroverError) || thrown.code !== 'STATE_UNSETTLED') throw thrown;
      return askIn({ ...plan, avoidVolume: true }, bot, query, signal);
    }
  };
};
