/** What is wished of one bot or schedule right now, from its spec store and under the guard. */
import type { BotId, Desired } from '../domain/bot.ts';
import { toDroverError } from '../domain/errors.ts';
import type { Cause } from '../domain/recorded.ts';
import { specHash } from '../domain/spec-hash.ts';
import { decodeBotDocument, type SpecDefaults } from '../documents/bot-document.ts';
import type { AnyRequest, SpecRecord, SpecStore } from '../ports/spec-store.ts';
import { requestCause } from './request-cause.ts';

/** What a wish has in common, of whichever kind. */
export type AnyDesired =
  | { readonly kind: 'spec'; readonly enabled: boolean }
  | { readonly kind: 'invalid'; readonly enabled: boolean | undefined }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly reason: string };

type Unknown = Extract<AnyDesired, { kind: 'unknown' }>;
type Gone = Extract<AnyDesired, { kind: 'gone' }>;

export interface DesireOptions<R extends AnyRequest, D extends AnyDesired> {
  readonly specs: Pick<SpecStore<R>, 'read'>;
  /** The wish a record stands for, before any guard. */
  readonly decode: (record: SpecRecord<R>) => D | Promise<D>;
  /** May a bot that nobody asked to stop be stopped? */
  readonly allows: (id: BotId) => boolean;
  /** Does the log want it running? Only such a bot needs the guard. */
  readonly isWanted: (id: BotId) => boolean;
  /** A stop that another program wrote needs a complete read before it counts. */
  readonly onUnconfirmed: () => void;
}

export interface Desire<D = Desired> {
  readonly desired: D;
  /** Who asked for the document as it is now. */
  readonly cause?: Cause;
  /** The store did not answer: look again soon, not at the next tick. */
  readonly unread?: true;
}

/** The wish that the record of a bot stands for, before any guard. */
export const desiredOfRecord = (record: SpecRecord, defaults: SpecDefaults, drained: boolean): Desired => {
  if (record.document === null) return { kind: 'gone' };
  const decoded = decodeBotDocument(record.id, record.document, defaults);
  if (decoded.kind === 'invalid') {
    return { kind: 'invalid', code: decoded.code, reason: decoded.reason, enabled: decoded.enabled };
  }
  const { spec, enabled } = decoded;
  return { kind: 'spec', spec, hash: specHash(spec), enabled, drained, requests: record.requests };
};

/** A wish that stops a bot, as opposed to one that changes or starts it. A drain is asked for by itself. */
export const isStop = (desired: AnyDesired): boolean =>
  desired.kind === 'gone' || ((desired.kind === 'spec' || desired.kind === 'invalid') && desired.enabled === false);

export const createDesireReader = <R extends AnyRequest, D extends AnyDesired>(options: DesireOptions<R, D>) => {
  const { specs, decode, allows, isWanted, onUnconfirmed } = options;
  const guarded = (id: BotId, desired: D | Gone, asked: boolean): D | Gone | Unknown =>
    !asked && isStop(desired) && isWanted(id) && !allows(id)
      ? {
          kind: 'unknown',
          reason: 'nobody requested this stop, and no complete read of the spec store has confirmed it',
        }
      : desired;

  /** Of these the collection told something, and their read failed: what is tried again by a timer is still about that. */
  const unreadAfterTold = new Set<BotId>();

  return async (id: BotId, causes: readonly Cause[] = []): Promise<Desire<D | Gone | Unknown>> => {
    let record: SpecRecord<R> | undefined;
    const told = causes.some(({ kind }) => kind === 'spec') || unreadAfterTold.has(id);
    try {
      record = await specs.read(id);
      unreadAfterTold.delete(id);
    } catch (error) {
      if (told) unreadAfterTold.add(id);
      return { desired: { kind: 'unknown', reason: toDroverError(error).message }, unread: true };
    }
    if (record === undefined) return { desired: guarded(id, { kind: 'gone' }, false) };
    const { asked } = record;
    const desired = guarded(id, await decode(record), asked !== undefined);
    // Only for what the collection itself told: a complete read that held it back would ask for itself for ever.
    if (desired.kind === 'unknown' && told) onUnconfirmed();
    return asked === undefined ? { desired } : { desired, cause: requestCause(asked) };
  };
};
