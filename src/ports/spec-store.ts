/** What is wished: documents shaped as contract §3, plus what a person or program asked. External writers may edit it. */
import type { JsonObject } from '../domain/json.ts';
import type { BotId, BotRequest } from '../domain/bot.ts';
import type { ScheduleRequest } from '../domain/schedule.ts';
import type { StreamPosition } from './message-bus.ts';

/** Who asked for the latest change of a document. Absent on one that another program wrote. */
export interface Asked {
  readonly requestId: string;
  readonly actor: string;
  readonly action: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Set when it came as a message. */
  readonly message?: { readonly subject: string; readonly sequence?: number };
}

/** What messages wish of a bot's document (contract §2). */
export interface WishContent {
  readonly config: JsonObject;
  readonly custom: JsonObject;
}

export type Wish =
  /** A document that is there stays as it is. */
  | { readonly kind: 'create'; readonly content: WishContent }
  /** Sets `config` and `custom` and nothing else; inserts what is missing. */
  | { readonly kind: 'update'; readonly content: WishContent }
  /** Deleted and made again: nothing of the former document is kept. */
  | { readonly kind: 'replace'; readonly content: WishContent }
  | { readonly kind: 'delete' };

/** `stale`: the document or its tombstone already holds what a later message of the same stream wished. */
export type WishOutcome = 'applied' | 'unchanged' | 'stale';

/** Tombstones are kept this long, milliseconds. */
export const TOMBSTONE_KEPT_MS = 30 * 24 * 3_600_000;

/** What every request says, of whichever kind of bot it is asked. */
export type AnyRequest = BotRequest | ScheduleRequest;

export interface SpecRecord<R extends AnyRequest = BotRequest> {
  readonly id: BotId;
  /** The raw document, undecoded: one broken document must not stop the others. Null for a tombstone. */
  readonly document: unknown;
  /** Grows with each change of this document. */
  readonly revision: number;
  readonly asked?: Asked;
  readonly requests: readonly R[];
}

/** A complete, successful read: only from one of these does absence count. */
export interface FleetRead<R extends AnyRequest = BotRequest> {
  readonly installId: string;
  readonly records: readonly SpecRecord<R>[];
  /** Set while the fleet is drained. */
  readonly drain?: Asked & { readonly reason: string };
}

export interface SpecStore<R extends AnyRequest = BotRequest> {
  /** Minted with the store; every name and label on the engine carries it. */
  installId(): Promise<string>;
  /** Undefined when nothing is known of this id, not even a tombstone. */
  read(id: BotId): Promise<SpecRecord<R> | undefined>;
  /** The bot whose document another program knows by this name of its own, e.g. MongoDB's `_id` (contract §3). */
  idOf?(name: string): Promise<BotId | undefined>;
  /** All documents and tombstones, without `custom.config.schema` and `custom.config.readme`. */
  readFleet(): Promise<FleetRead<R>>;
  put(id: BotId, document: unknown, asked: Asked): Promise<SpecRecord<R>>;
  /** Leaves a tombstone; idempotent. False when there was nothing. */
  remove(id: BotId, asked: Asked): Promise<boolean>;
  /**
   * What messages wish, in one atomic write together with the position of the last of them.
   * Idempotent: the same position again is `stale`.
   */
  applyWish(id: BotId, wish: Wish, asked: Asked, position?: StreamPosition): Promise<WishOutcome>;
  /** Forgets tombstones that were laid before `before`, epoch milliseconds. */
  forgetTombstones(before: number): Promise<void>;
  addRequest(id: BotId, request: R): Promise<void>;
  /** Forgets requests that the log has taken. */
  clearRequests(id: BotId, requestIds: readonly string[]): Promise<void>;
  setDrain(drain: (Asked & { readonly reason: string }) | undefined): Promise<void>;
  /** Calls back with each id that changed; undefined stands for "any of them". Returns how to stop. */
  onChange(listener: (id: BotId | undefined, asked: Asked | undefined) => void): () => void;
  close(): Promise<void>;
}

/** Where scheduled bots are wished (contract §3, `bot_scheduler.bot_schedules`). The drain is one for both kinds. */
export interface ScheduleStore extends SpecStore<ScheduleRequest> {
  /**
   * `next_execution_time` for other readers, Unix seconds; undefined: it will not run. Changes no wish, wakes nobody, and
   * does nothing for a document that is not there.
   */
  noteNextExecution(id: BotId, at: number | undefined): Promise<void>;
}
