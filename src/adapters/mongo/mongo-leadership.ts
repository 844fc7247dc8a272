/**
 * The lease of a role: one document with an epoch and a counter of renewals. Nobody compares wall clocks: a candidate takes
 * over once it has seen the same renewal for a whole lease on its own monotonic clock, and a holder trusts its lease only
 * for a shorter time counted from **before** its last renewal was sent. A frozen holder that wakes therefore knows at once.
 *
 * A holder of this very host that has ended, as its kernel says, is not waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../../domain/errors.ts';
import type { Leadership } from '../../ports/leadership.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProcessMark, ProcessMarks } from '../common/process-mark.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicate, toStoreError } from './mongo-error.ts';

/** When it was certain, by both clocks. */
interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}
interface Proof {
  readonly epoch: number;
  readonly at: Moment;
}

interface LeaseRow {
  readonly _id: string;
  /** Null once it was given back. */
  readonly holder: string | null;
  readonly epoch: number;
  readonly renewal: number;
  /** Of the process that took it; what an older drover leaves is another holder's. */
  readonly process?: (ProcessMark & { readonly holder: string }) | null;
}

export interface LeadershipOptions {
  readonly role: string;
  /** Distinct for each process. */
  readonly holder: string;
  readonly logger: Logger;
  /** Monotonic milliseconds. */
  readonly monotonic?: () => number;
  /** Epoch milliseconds; only ever shortens the trust. */
  readonly wall?: () => number;
  /** Is the database still the one we began with? Asked before each renewal. @throws when it is not, or does not answer */
  readonly verify?: () => Promise<void>;
  /** Highest epoch in the log: a lease that was lost begins above it. */
  readonly lastEpoch?: () => Promise<number>;
  /** Tells whether a holder on this host has ended; absent: nobody does. */
  readonly marks?: Pick<ProcessMarks, 'own' | 'hasEnded'>;
  /** How long a silent holder is waited for, ms. */
  readonly leaseMs?: number;
  readonly renewMs?: number;
}

export const createMongoLeadership = (mongo: MongoConnection, options: LeadershipOptions): Leadership => {
  const { role, holder, logger, leaseMs = 10_000, renewMs = 1_000 } = options;
  const { verify = () => Promise.resolve(), lastEpoch = () => Promise.resolve(0) } = options;
  const { monotonic = () => performance.now(), wall = () => Date.now(), marks } = options;
  const mark = marks?.own();
  const signature = mark === undefined ? { process: null } : { process: { ...mark, holder } };
  // The margin covers clocks that run at slightly different speeds, and the time a call under way still takes.
  const trustMs = leaseMs * 0.75;
  const leases = mongo.ours.collection<LeaseRow>('leases');
  const listeners = new Set<(leads: boolean) => void>();
  const stopping = new AbortController();
  const hasStopped = (): boolean => stopping.signal.aborted;
  let own: Proof | undefined;
  /** `renewed`: by another process, while this one looked. */
  let seen: { readonly row: LeaseRow; readonly since: number; readonly renewed: boolean } | undefined;
  let highest = 0;
  let told = false;
  let running: Promise<void> | undefined;
  let expiry: NodeJS.Timeout | undefined;

  const moment = (): Moment => ({ monotonic: monotonic(), wall: wall() });
  // A machine that slept has a monotonic clock that slept with it: the wall clock tells. Set forward by hand it costs one renewal.
  const isFresh = (at: Moment): boolean => monotonic() - at.monotonic < trustMs && wall() - at.wall < trustMs;
  const epoch = (): number | undefined => (own !== undefined && isFresh(own.at) ? own.epoch : undefined);

  const tell = (): void => {
    const leads = epoch() !== undefined;
    if (leads === told) return;
    told = leads;
    if (leads) logger.info('acquired the lease', { role, epoch: own?.epoch });
    else logger.warn('lost the lease', { role, holder: seen?.row.holder ?? undefined });
    for (const listener of [...listeners]) listener(leads);
  };

  const prove = (next: number, at: Moment): void => {
    // It had run out and nobody asked meanwhile: whoever listens must hear that wakes may have been dropped.
    if (own !== undefined && !isFresh(own.at)) tell();
    own = { epoch: next, at };
    highest = Math.max(highest, next);
    clearTimeout(expiry);
    // So that services hear of it also when the store is silent.
    expiry = setTimeout(tell, trustMs + 1).unref();
    tell();
  };

  const renew = async (held: number): Promise<void> => {
    const at = moment();
    const { matchedCount } = await leases.updateOne({ _id: role, holder, epoch: held }, { $inc: { renewal: 1 } });
    if (matchedCount > 0) {
      prove(held, at);
      return;
    }
    own = undefined;
    seen = undefined;
    tell();
  };

  /** Whatever it still had under way is refused by the epoch of its successor, as after any loss of the lease. */
  const hasEnded = async ({ holder: of, process: left }: LeaseRow): Promise<boolean> => {
    if (marks === undefined || left === undefined || left === null || left.holder !== of) return false;
    const ended = await marks.hasEnded(left);
    if (ended) logger.info('the former leader on this host has ended', { role, holder: of });
    return ended;
  };
  let toldHolder: string | null = null;

  const compete = async (): Promise<void> => {
    const at = moment();
    const row = await leases.findOne({ _id: role });
    if (row === null) {
      const next = Math.max(highest, await lastEpoch()) + 1;
      await leases.insertOne({ _id: role, holder, epoch: next, renewal: 0, ...signature });
      prove(next, at);
      return;
    }
    if (seen?.row.epoch !== row.epoch || seen.row.renewal !== row.renewal || seen.row.holder !== row.holder) {
      const renewed = seen !== undefined && row.holder !== null;
      seen = { row, since: monotonic(), renewed };
    }
    // Our own name: we took it, and only the answer was lost.
    const isFree = row.holder === null || row.holder === holder || (await hasEnded(row));
    if (!isFree && monotonic() - seen.since < leaseMs) {
      if (row.holder !== toldHolder) logger.info('standing by', { role, holder: row.holder });
      toldHolder = row.holder;
      return;
    }
    const taking = moment();
    const { matchedCount } = await leases.updateOne(
      { _id: role, epoch: row.epoch, renewal: row.renewal, holder: row.holder },
      { $set: { holder, epoch: row.epoch + 1, renewal: 0, ...signature } },
    );
    if (matchedCount > 0) prove(row.epoch + 1, taking);
  };

  let complained = '';
  const complain = ({ code, message: detail }: DroverError): void => {
    if (complained !== code && code === 'STORE_CORRUPT')
      logger.error('cannot compete for the lease', { role, code, detail });
    else logger.debug('lease status', { role, detail });
    complained = code;
  };

  const run = async (): Promise<void> => {
    while (!hasStopped()) {
      try {
        await verify().catch((thrown: unknown) => {
          if (thrown instanceof DroverError && thrown.code === 'STORE_CORRUPT') own = undefined;
          throw thrown;
        });
        // What was ours once is renewed also after the trust ran out: nobody else may have wanted it.
        await (own === undefined ? compete() : renew(own.epoch));
      } catch (thrown) {
        if (!isDuplicate(thrown)) complain(toStoreError(thrown));
        tell();
      }
      await sleep(renewMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  return {
    role,
    epoch,
    term: () => own?.epoch,
    holder: () => (epoch() === undefined ? (seen?.row.holder ?? undefined) : holder),
    isHeld: () => epoch() !== undefined || (seen?.renewed === true && monotonic() - seen.since < leaseMs),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: () => {
      running ??= run();
    },
    stop: async () => {
      stopping.abort();
      await running;
      clearTimeout(expiry);
      const held = own?.epoch;
      own = undefined;
      if (held === undefined) return;
      await leases.updateOne({ _id: role, holder, epoch: held }, { $set: { holder: null } }).catch(() => undefined);
    },
  };
};
