/** A service and the lease that it acts under, as one thing to start and stop. */
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Office } from './drover-parts.ts';
import { createFence } from './fence.ts';
import { createLeader, type Leader } from './leader.ts';
import type { WishSource } from './sources/messages.ts';

/** What the lease decides about. */
export interface Governed {
  readonly service: {
    start(): void;
    stop(withinMs: number): Promise<void>;
    resyncSoon(): void;
  };
  /** What else must be known before the first act of a term. */
  readonly prepare: () => Promise<void>;
  readonly wishes: WishSource | undefined;
  /** At the beginning of a term. */
  readonly onLead: () => void;
}

export interface OfficeOptions {
  readonly office: Office;
  /** Asked for late: what is governed needs to know whether it leads. */
  readonly governed: () => Governed;
  /** Position up to which the log is folded here. */
  readonly folded: () => number;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface ServiceOffice {
  readonly leader: Leader;
  start(): void;
  stop(withinMs: number): Promise<void>;
  /** Gives the lease back. */
  resign(): Promise<void>;
}

export const createServiceOffice = ({ office, governed, folded, logger, clock }: OfficeOptions): ServiceOffice => {
  const { leadership, events, acts = true } = office;
  const leader = createLeader({
    leadership,
    fence: office.fence ?? createFence(leadership),
    logger,
    clock,
    head: () => events.head(),
    folded,
    prepare: () => governed().prepare(),
    onLead: () => {
      const { onLead, service, wishes } = governed();
      onLead();
      service.resyncSoon();
      wishes?.start();
    },
    onSuperseded: () => {
      void governed().wishes?.stop();
    },
  });
  let taken: Promise<void> | undefined;
  return {
    leader,
    start() {
      if (!acts) return;
      governed().service.start();
      leader.start();
    },
    async stop(withinMs) {
      if (!acts) return;
      taken = governed().wishes?.stop();
      await governed().service.stop(withinMs);
    },
    async resign() {
      if (acts) await Promise.all([taken, leader.stop()]);
    },
  };
};
