/** What goes wrong in this process at present, since when and how often: for readiness, and for what is said of each bot. */
import { toDroverError, type ErrorCode } from '../domain/errors.ts';
import type { Trouble } from '../ports/fleet-view.ts';

export interface Troubles {
  /** It went wrong (again). */
  failed(topic: string, thrown: unknown): void;
  /** It went well. */
  healed(topic: string): void;
  /** Undefined while it goes well. */
  of(topic: string): Trouble | undefined;
  /** Topics that begin so, with what is wrong of each. */
  all(prefix: string): readonly (readonly [topic: string, trouble: Trouble])[];
}

/** Who has lost the lease did nothing wrong. */
const NO_TROUBLE: ReadonlySet<ErrorCode> = new Set(['LEASE_LOST', 'NOT_LEADER']);
const DETAIL_CHARS = 500;

/** `now`: epoch ms. */
export const createTroubles = (now: () => number): Troubles => {
  const known = new Map<string, Trouble>();
  return {
    failed(topic, thrown) {
      const { code, message } = toDroverError(thrown);
      if (NO_TROUBLE.has(code)) return;
      const before = known.get(topic);
      known.set(topic, {
        since: before?.since ?? now(),
        count: (before?.count ?? 0) + 1,
        code,
        detail: message.slice(0, DETAIL_CHARS),
      });
    },
    healed(topic) {
      known.delete(topic);
    },
    of: (topic) => known.get(topic),
    all: (prefix) => [...known].filter(([topic]) => topic.startsWith(prefix)),
  };
};

export type LoopKind = 'bot' | 'schedule' | 'run';

/** Topics. */
export const ENGINE_TOPIC = 'engine';
export const tickOf = (what: LoopKind): string => `tick ${what}`;
export const passOf = (what: LoopKind, key: string): string => `pass ${what} ${key}`;
export const sightOf = (key: string): string => `sight ${key}`;
