/** What the API reads and asks of the running services; implemented by the controllers. */
import type { BotId } from '../domain/bot.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { FleetMetrics, RunningBot } from '../domain/running-bot.ts';
import type { Transition } from '../domain/transition.ts';
import type { Asked } from './spec-store.ts';

export interface FleetView {
  /** Every bot that is known, the deleted ones left out, ordered by id. */
  list(): readonly RunningBot[];
  get(id: BotId): RunningBot | undefined;
  metrics(): FleetMetrics;
}

export interface TransitionSource {
  /**
   * Transitions recorded after the commit `after`, oldest first; of one bot when `botId` is given.
   * Ends at the present, or follows until `signal` aborts when `follow` is set.
   */
  read(options: {
    readonly after: number;
    readonly botId?: BotId;
    readonly follow: boolean;
    readonly signal: AbortSignal;
  }): AsyncIterable<Transition>;
}

/** Bots that the last complete read would stop without anyone having asked. */
export interface Suspicion {
  readonly since: number;
  readonly botIds: readonly BotId[];
  readonly fleet: number;
}

export interface RemovalGuard {
  suspicion(): Suspicion | undefined;
  /** Lets the suspected stops go ahead. Returns the bots concerned. */
  confirm(asked: Asked): Promise<readonly BotId[]>;
}

/** Something that goes wrong again and again. */
export interface Trouble {
  /** When it went wrong first, epoch ms. */
  readonly since: number;
  readonly count: number;
  /** Of the latest time. */
  readonly code: ErrorCode;
  readonly detail: string;
}

/** One dependency's health, for `/readyz`. */
export interface Readiness {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** drover is ready without it. */
  readonly optional?: boolean;
}
