/**
 * Queries to bots that do not run, and to states of the past: in an ephemeral container that reads the state and stores nothing
 * (features F2, F9). What it was made from is looked at anew for each query, so no kept one answers for what has changed.
 */
import { canonicalJson } from '../../domain/json.ts';
import { jsonText } from '../../domain/json-text.ts';
import type { BotSpec } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import { NotBegun, QueryFailure, type Query, type QueryAnswer } from '../../domain/query.ts';
import { specHash } from '../../domain/spec-hash.ts';
import { decodeBotDocument, type SpecDefaults } from '../../documents/bot-document.ts';
import type { ArchiveStore } from '../../ports/archive-store.ts';
import type { ContainerReply, QueryContainers, QueryPlan } from '../../ports/query-containers.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import { boundBody, readSmall } from './bounded-body.ts';
import { failureOf, requireAnswer, saysError } from './judge-reply.ts';
import type { QueryPolicy } from './query-policy.ts';
import type { Lent, QueryPool, Recipe } from './query-pool.ts';
import { NoLongerResting, type QueryResolver, type RestingBot } from './query-resolver.ts';

export interface AskRestingOptions {
  readonly known: QueryResolver['known'];
  readonly specs: Pick<SpecStore, 'read'>;
  readonly scheduleSpecs: Pick<ScheduleStore, 'read'>;
  readonly archives: Pick<ArchiveStore, 'digestOfCode'>;
  readonly defaults: SpecDefaults;
  readonly containers: QueryContainers;
  readonly pool: QueryPool;
  readonly policy: QueryPolicy;
}

/** @throws QueryFailure, DroverError, NoLongerResting */
export type AskResting = (bot: RestingBot, query: Query, signal: AbortSignal) => Promise<QueryAnswer>;

type Variant = Pick<QueryPlan, 'avoidVolume'>;

/** Path and parameters are variables of the process, and a system takes no longer ones. */
const MAX_VARIABLE = 120 * 1024;

const keyOf = ({ spec, asOf, avoidVolume, ...plan }: QueryPlan): string =>
  canonicalJson({ id: spec.id, asOf: asOf ?? null, avoidVolume: avoidVolume === true, ...plan });

export const createAskResting = (options: AskRestingOptions): AskResting => {
  const { known, specs, scheduleSpecs, archives, defaults, containers, pool, policy } = options;

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
    const { head, ...bounded } = await boundBody(body, bytes, policy.maxReplyBytes);
    if (head !== undefined && saysError(head)) throw failureOf(await readSmall(bounded.body));
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

  /** As it is by now, when the query has had its turn. */
  const current = (bot: RestingBot, { asOf }: Query): RestingBot => {
    const now = known(bot.botId);
    if (asOf !== undefined || now === undefined) return bot;
    if (now.kind !== 'resting') throw new NoLongerResting(`${bot.botId} is ${now.botState}`);
    return now;
  };

  const askIn = async (bot: RestingBot, query: Query, signal: AbortSignal, variant: Variant): Promise<QueryAnswer> => {
    const { path, params, timeoutMs, botId } = { ...query, botId: bot.botId };
    let now = bot;
    const recipe = async (): Promise<Recipe> => {
      now = current(bot, query);
      const plan = { ...(await planFor(now, query)), ...variant };
      return { key: keyOf(plan), open: () => containers.open(plan, signal) };
    };
    const lent = await pool.lend({ botId, recipe, signal });
    try {
      return await toAnswer(await lent.container.ask({ path, params, timeoutMs }, signal), lent, now);
    } catch (thrown) {
      // Whatever it is good for now: nobody knows. One that was given back already stays as it is.
      lent.giveBack(false);
      // A kept one may end after its answer, for what the query before left. What it had begun may have done something.
      if (lent.warm && thrown instanceof NotBegun && !signal.aborted) return askIn(bot, query, signal, variant);
      throw thrown;
    }
  };

  return async (bot, query, signal) => {
    const bytes = Math.max(Buffer.byteLength(query.path), Buffer.byteLength(jsonText(query.params)));
    if (bytes > MAX_VARIABLE) {
      const message = `a bot that does not run accepts a path and parameters of at most ${String(MAX_VARIABLE)} bytes each`;
      throw new QueryFailure('QUERY_BODY_TOO_LARGE', message);
    }
    try {
      return await askIn(bot, query, signal, {});
    } catch (thrown) {
      // A restore broke off on the volume: what is whole lies in the archive store.
      if (!(thrown instanceof DroverError) || thrown.code !== 'STATE_UNSETTLED') throw thrown;
      return askIn(bot, query, signal, { avoidVolume: true });
    }
  };
};
