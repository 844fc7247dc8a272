/**
 * Whether this process acts. Winning the lease is not enough: first the log must be folded up to its head, so that nothing
 * is planned on what the former leader has overtaken. Losing it ends all action at once.
 */
import { DroverError, toDroverError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Leadership } from '../ports/leadership.ts';
import type { Logger } from '../ports/logger.ts';
import type { Fence } from './fence.ts';
import { pause } from './waits.ts';

export interface LeaderOptions {
  readonly leadership: Leadership;
  readonly fence: Fence;
  /** Position of the newest commit. */
  readonly head: () => Promise<number>;
  /** Position up to which the log is folded here. */
  readonly folded: () => number;
  /** What else must be known before the first act. */
  readonly prepare: () => Promise<void>;
  readonly onLead: () => void;
  /** Another leads, or may. Not called while only the store is away: then the same term may go on. */
  readonly onSuperseded: () => void;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface Leader {
  /** True from the moment this process may act until it may not. */
  leads(): boolean;
  /** @throws DroverError LEASE_LOST */
  mayAct(): void;
  /** What is done within is refused once this term is over, also in a later term of this process. @throws DroverError LEASE_LOST */
  inTerm<T>(work: () => Promise<T>): Promise<T>;
  start(): void;
  stop(): Promise<void>;
}

const RETRY_MS = 1_000;
const LOOK_MS = 20;
const SUPERSEDED_LOOK_MS = 100;

export const createLeader = (options: LeaderOptions): Leader => {
  const { leadership, head, folded, prepare, onLead, onSuperseded, logger, clock } = options;
  const { role } = leadership;
  const fence = options.fence;
  /** The epoch this process acts in; another one is another term of office. */
  let acting: number | undefined;
  const leads = (): boolean => acting !== undefined && leadership.epoch() === acting;

  const takeOver = async (epoch: number): Promise<void> => {
    const isStill = (): boolean => leadership.epoch() === epoch;
    while (isStill()) {
      try {
        const target = await head();
        while (isStill() && folded() < target) await pause(clock, LOOK_MS);
        await prepare();
        if (!isStill() || acting === epoch) return;
        acting = epoch;
        onLead();
        return;
      } catch (thrown) {
        logger.warn('elected leader, waiting for the stores', { role, detail: toDroverError(thrown).message });
        await pause(clock, RETRY_MS);
      }
    }
  };

  const untilSuperseded = async (): Promise<void> => {
    while (leadership.term() !== undefined) {
      if (leads()) return;
      await pause(clock, SUPERSEDED_LOOK_MS);
    }
    onSuperseded();
  };

  const stopListening = leadership.onChange((won) => {
    const epoch = leadership.epoch();
    if (won && epoch !== undefined) {
      void takeOver(epoch);
      return;
    }
    if (acting === undefined) return;
    acting = undefined;
    void untilSuperseded();
  });

  return {
    leads,
    mayAct: () => {
      fence.mayAct();
      if (!leads()) throw new DroverError('LEASE_LOST', `this process holds the lease of ${role} but is not ready yet`);
    },
    inTerm: (work) => {
      if (acting === undefined) throw new DroverError('LEASE_LOST', `this process is not the leader of ${role}`);
      return fence.inTerm(acting, work);
    },
    start: () => {
      leadership.start();
    },
    stop: async () => {
      stopListening();
      acting = undefined;
      await leadership.stop();
    },
  };
};
