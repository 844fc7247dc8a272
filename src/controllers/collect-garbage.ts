/**
 * What may go and what stays (contract §9.4, pitfall 87), decided purely. An id that nobody wishes goes only after it was
 * seen so for the whole grace; and never many at once, because a store that is empty or restored looks just like that.
 */
import type { GarbageNote } from '../domain/garbage.ts';

const MIN_ALLOWED = 3;
const SHARE_ALLOWED = 0.1;

export interface GarbageFacts {
  /** Epoch milliseconds. An S3 server refuses requests of a clock that is off by a quarter of an hour. */
  readonly now: number;
  readonly graceMs: number;
  readonly force: boolean;
  readonly installId: string;
  /** From a complete read, begun after `found` was listed. */
  readonly wished: ReadonlySet<string>;
  /** Ids with objects in the buckets. */
  readonly found: ReadonlySet<string>;
  /** What the last sweep noted; undefined before the first. */
  readonly note?: GarbageNote | undefined;
}

export type GarbageVerdict =
  | { readonly kind: 'otherInstall'; readonly noted: string }
  | {
      readonly kind: 'judged';
      /** May be removed now; empty when `refused`. */
      readonly due: readonly string[];
      /** Would all be due, and are too many at once. */
      readonly refused: readonly string[];
      /** More than this many never go at once. */
      readonly limit: number;
      /** id → when its grace ends, epoch milliseconds. */
      readonly waits: ReadonlyMap<string, number>;
      /** To be stored before anything is removed. An id that goes is not in it: back again, it has a whole grace. */
      readonly note: GarbageNote;
    };

const inOrder = (ids: Iterable<string>): readonly string[] => [...ids].sort((a, b) => (a < b ? -1 : 1));

export const judgeGarbage = (facts: GarbageFacts): GarbageVerdict => {
  const { now, graceMs, force, installId, wished, found, note } = facts;
  if (note !== undefined && note.installId !== installId) return { kind: 'otherInstall', noted: note.installId };
  const absent = new Map<string, number>();
  for (const id of inOrder(found)) {
    // Noted in the future: a clock was set back since, and what is left of the grace is unknown.
    if (!wished.has(id)) absent.set(id, Math.min(note?.absent.get(id) ?? now, now));
  }
  const ripe = [...absent].filter(([, since]) => now - since >= graceMs).map(([id]) => id);
  const known = new Set([...wished, ...found]).size;
  const limit = Math.max(MIN_ALLOWED, Math.floor(known * SHARE_ALLOWED));
  const tooMany = ripe.length > limit && !force;
  const due = new Set(tooMany ? [] : ripe);
  const kept = [...absent].filter(([id]) => !due.has(id));
  const isRipe = new Set(ripe);
  return {
    kind: 'judged',
    due: [...due],
    refused: tooMany ? ripe : [],
    limit,
    waits: new Map(kept.filter(([id]) => !isRipe.has(id)).map(([id, since]) => [id, since + graceMs])),
    note: { installId, absent: new Map(kept) },
  };
};
