/** What is asked of a bot and what it answers (contract §8), in words that every layer shares. */
import type { Readable } from 'node:stream';
import type { BotId } from './bot.ts';
import { DroverError, type ErrorCode } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { SnapshotId } from './sync-report.ts';

/** Where the query server of every SDK listens inside a bot's container (contract §8.1). */
export const QUERY_PORT = 9476;

/** A reply up to here is held whole: most are of some hundred bytes, and every error is looked into. */
export const SMALL_REPLY_BYTES = 64 * 1024;

/** A state of the past: the newest one stored by then, or the one that is named (feature F9). */
export type AsOf =
  { readonly kind: 'time'; readonly at: number } | { readonly kind: 'snapshot'; readonly snapshot: SnapshotId };

export interface Query {
  readonly botId: BotId;
  /** Begins with `/`, exactly as the handler is registered; parameters are not part of it. */
  readonly path: string;
  /** Top-level parameters with their types. */
  readonly params: JsonObject;
  readonly timeoutMs: number;
  readonly asOf?: AsOf;
  /** A bot that starts or stops is waited for within the timeout, as the reference's callers expect; else it is told at once. */
  readonly patient: boolean;
}

/**
 * How an answer was had: from the query server of a running bot at its own address or at its port on loopback, or from an
 * ephemeral container that was made for it or had been kept.
 */
export type QueryWay = 'address' | 'published' | 'cold' | 'warm';

/** What a bot answered; `body` is read once. */
export interface QueryAnswer {
  /** As its query server gave it, below 300; 200 for one that came from a file. */
  readonly status: number;
  readonly contentType: string;
  /** Length of the body where it is known beforehand. */
  readonly bytes?: number;
  /** Small ones are there whole. A stream fails with QUERY_REPLY_TOO_LARGE, QUERY_REPLY_INVALID or QUERY_TIMEOUT. */
  readonly body: Buffer | Readable;
  readonly way: QueryWay;
  /** As it was when the query was routed, e.g. `running`, `armed`. */
  readonly botState: string;
  /** What an ephemeral container read: `volume`, `none`, `archive`, or a snapshot such as `a3/s7`. */
  readonly state?: string;
}

/** A query that was not answered: the error of the table, and what a caller wants to know besides (feature F5). */
export class QueryFailure extends DroverError {
  /** Undefined for a bot that nobody knows. */
  readonly botState: string | undefined;
  /** What the bot's handler itself said, e.g. `{status, error, available}`. */
  readonly said: JsonObject | undefined;
  readonly retryAfterS: number | undefined;
  /** HTTP status that the bot's own query server gave with it. */
  readonly botStatus: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      readonly botState?: string | undefined;
      readonly said?: JsonObject | undefined;
      readonly retryAfterS?: number | undefined;
      readonly botStatus?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(code, message, { cause: more.cause });
    this.botState = more.botState;
    this.said = more.said;
    this.retryAfterS = more.retryAfterS;
    this.botStatus = more.botStatus;
  }
}

/** A query container ended before it began this query: asking another one is safe. As an error it is what ended it. */
export class NotBegun extends DroverError {
  constructor(why: DroverError) {
    super(why.code, why.message, { cause: why });
  }
}

/** Counted since this process began; shown beside the fleet's metrics. */
export interface QueryMetrics {
  readonly answered: Readonly<Record<QueryWay, number>>;
  /** By error code. */
  readonly failed: Readonly<Record<string, number>>;
  readonly inFlight: number;
  /** Ephemeral query containers: that answer, that wait warm; and queries that wait for one. */
  readonly busy: number;
  readonly warm: number;
  readonly waiting: number;
}
