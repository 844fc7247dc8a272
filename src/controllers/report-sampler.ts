/**
 * Which running bots are asked at this tick what became of their state and logs. The engine tells of a container that ends,
 * never of what is written inside; so each is looked at every tenth tick, and those with trouble at every one (ADR 0011).
 */
import type { VersionedState } from '../machines/snapshot.ts';

const EVERY_TICKS = 10;
const LEAST = 8;
/** Troubled ones at one tick: an outage of the archive store troubles all of them at once. */
const TROUBLED = 32;

const isTroubled = ({ state: { context } }: VersionedState): boolean =>
  context.storage === undefined || context.storage.state.status !== 'kept' || context.storage.logs.status !== 'kept';

/** Goes round: called once a tick, it names the next ones. */
export const createReportSampler = () => {
  let at = 0;
  let troubledAt = 0;
  const next = (ids: readonly string[], from: number, count: number): string[] =>
    ids.length === 0
      ? []
      : Array.from({ length: Math.min(count, ids.length) }, (_, n) => ids[(from + n) % ids.length] ?? '');
  return (folds: ReadonlyMap<string, VersionedState>): ReadonlySet<string> => {
    const running = [...folds].filter(([, { state }]) => state.at === 'running');
    const ids = running.map(([id]) => id);
    const troubled = running.filter(([, fold]) => isTroubled(fold)).map(([id]) => id);
    const share = Math.max(LEAST, Math.ceil(ids.length / EVERY_TICKS));
    const chosen = [...next(ids, at, share), ...next(troubled, troubledAt, TROUBLED)];
    at = ids.length === 0 ? 0 : (at + share) % ids.length;
    troubledAt = troubled.length === 0 ? 0 : (troubledAt + TROUBLED) % troubled.length;
    return new Set(chosen);
  };
};
