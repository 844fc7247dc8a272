/**
 * An empty or wrong spec store must not stop the fleet. Absence counts only from a complete,
 * successful read of the store whose install id is ours; and when one read would stop more than max(3, 10 %) of the
 * fleet without anyone having asked, nothing is stopped until an operator confirms. A store without any document at all is as
 * suspect for a fleet of one: it is believed once several reads over a minute have found it so.
 */
import type { BotId } from '../domain/bot.ts';
import { DroverError } from '../domain/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { RemovalGuard, Suspicion } from '../ports/fleet-view.ts';

export interface FleetGuard extends RemovalGuard {
  /**
   * Judges a complete read. `wanted` are the bots that should run as far as the log knows; `stops` tells whether a
   * record, read now, would stop its bot.
   */
  judge(
    read: { readonly installId: string; readonly records: readonly { readonly document: unknown }[] },
    wanted: readonly BotId[],
    stops: (id: BotId) => 'no' | 'asked' | 'unasked',
  ): void;
  /** May this bot be stopped though nobody asked? */
  allows(id: BotId): boolean;
}

const MIN_ALLOWED = 3;
const SHARE_ALLOWED = 0.1;
/** So long, and so often, an empty store must be read before it is believed of a small fleet. */
const EMPTY_FOR_MS = 60_000;
const EMPTY_READS = 3;
const RECHECK_MS = EMPTY_FOR_MS / EMPTY_READS;

/** Is the emptiness of a store known for long enough? */
const createEmptiness = (now: () => number) => {
  let since: number | undefined;
  let reads = 0;
  return {
    /** Notes a read; true while an empty store is not believed. */
    isDoubtful(isEmpty: boolean): boolean {
      if (!isEmpty) {
        since = undefined;
        reads = 0;
        return false;
      }
      since ??= now();
      reads += 1;
      return reads < EMPTY_READS || now() - since < EMPTY_FOR_MS;
    },
  };
};

export const createRemovalGuard = (options: {
  readonly installId: string;
  readonly logger: Logger;
  readonly now: () => number;
  readonly onConfirmed: () => void;
  /** Read the store again after this time, ms. */
  readonly recheckAfter: (ms: number) => void;
}): FleetGuard => {
  const { installId, logger, now, onConfirmed, recheckAfter } = options;
  const emptiness = createEmptiness(now);
  let recheckAt = -Infinity;
  let allowed: ReadonlySet<BotId> = new Set();
  let confirmed: ReadonlySet<BotId> = new Set();
  let suspicion: Suspicion | undefined;

  return {
    suspicion: () => suspicion,
    allows: (id) => allowed.has(id) || confirmed.has(id),
    judge(read, wanted, stops) {
      if (read.installId !== installId) {
        allowed = new Set();
        logger.error('spec store belongs to another install, nothing is stopped', {
          found: read.installId,
          installId,
          remedy: 'bring the right database back; see docs/how-to/troubleshoot.md',
        });
        return;
      }
      const unasked = wanted.filter((id) => stops(id) === 'unasked');
      const unconfirmed = unasked.filter((id) => !confirmed.has(id));
      const limit = Math.max(MIN_ALLOWED, Math.floor(wanted.length * SHARE_ALLOWED));
      // A confirmation is for what was seen then; a bot that came back since needs a new one.
      confirmed = new Set(unasked.filter((id) => confirmed.has(id)));
      const isEmpty = read.records.every(({ document }) => document === null);
      const isDoubtful = emptiness.isDoubtful(isEmpty) && unconfirmed.length > 0;
      if (isDoubtful && now() >= recheckAt) {
        recheckAt = now() + RECHECK_MS;
        recheckAfter(RECHECK_MS);
      }
      if (unconfirmed.length <= limit && !isDoubtful) {
        allowed = new Set(unasked);
        suspicion = undefined;
        return;
      }
      allowed = new Set();
      if (suspicion === undefined) {
        logger.error('spec store is suspect, nothing is stopped', {
          bots: unconfirmed.length,
          fleet: wanted.length,
          empty: isEmpty,
          remedy: 'check the spec store, then run `drover confirm-removal`',
        });
      }
      suspicion = { since: suspicion?.since ?? now(), botIds: unconfirmed, fleet: wanted.length };
    },
    confirm(asked) {
      const botIds = suspicion?.botIds ?? [];
      confirmed = new Set([...confirmed, ...botIds]);
      suspicion = undefined;
      logger.warn('removal confirmed', { bots: botIds, actor: asked.actor, request: asked.requestId });
      onConfirmed();
      return Promise.resolve(botIds);
    },
  };
};

/** A standby judges nothing, so it can neither say what is held back nor let it go. @throws DroverError NOT_LEADER */
export const onlyLeading = (
  guard: RemovalGuard,
  leader: { leads(): boolean },
  leadership: { readonly role: string; holder(): string | undefined },
): RemovalGuard => {
  const judging = (): RemovalGuard => {
    if (leader.leads()) return guard;
    const holder = leadership.holder();
    const who = holder === undefined ? 'there is no leader yet' : `the leader is ${holder}`;
    throw new DroverError('NOT_LEADER', `this process is not the leader of ${leadership.role}: ${who}`);
  };
  return {
    suspicion: () => judging().suspicion(),
    confirm: async (asked) => judging().confirm(asked),
  };
};

const isNotLeader = (thrown: unknown): boolean => thrown instanceof DroverError && thrown.code === 'NOT_LEADER';

/** Several as one: what this process judges. @throws DroverError NOT_LEADER when it judges nothing at all */
export const combineGuards = (guards: readonly RemovalGuard[]): RemovalGuard => {
  /** Of those that this process leads. */
  const judging = <T>(ask: (guard: RemovalGuard) => T): readonly T[] => {
    const refusals: unknown[] = [];
    const found = guards.flatMap((guard) => {
      try {
        return [ask(guard)];
      } catch (thrown) {
        if (!isNotLeader(thrown)) throw thrown;
        refusals.push(thrown);
        return [];
      }
    });
    if (found.length === 0) throw refusals[0];
    return found;
  };
  return {
    suspicion() {
      const found = judging((guard) => guard.suspicion()).filter((one) => one !== undefined);
      if (found.length === 0) return undefined;
      return {
        since: Math.min(...found.map(({ since }) => since)),
        botIds: found.flatMap(({ botIds }) => botIds),
        fleet: found.reduce((sum, { fleet }) => sum + fleet, 0),
      };
    },
    async confirm(asked) {
      // Asked first, so that a process that judges nothing says so.
      judging((guard) => guard.suspicion());
      const settled = await Promise.allSettled(guards.map((guard) => guard.confirm(asked)));
      const refused = settled.find((one) => one.status === 'rejected' && !isNotLeader(one.reason));
      if (refused?.status === 'rejected') throw refused.reason;
      return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    },
  };
};
