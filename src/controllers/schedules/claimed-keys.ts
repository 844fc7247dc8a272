/** Keys of all runs that a schedule ever claimed, read from its log: only a backfill asks for them (feature D9). */
import type { EventStore } from '../../ports/event-store.ts';
import { readSchedule } from './read-runs.ts';

/** @throws DroverError STORE_UNAVAILABLE, EVENT_ILLEGAL */
export const readClaimedKeys = async (events: EventStore, id: string): Promise<ReadonlySet<string>> => {
  const keys = new Set<string>();
  for (const event of await readSchedule(events, id)) {
    if (event.type === 'RunClaimed') keys.add(event.key);
    // Given up before anything of it was there: its slot did not run.
    if (event.type === 'RunDropped') keys.delete(event.key);
    if (event.type === 'BackfillAccepted') for (const { key } of event.runs) keys.add(key);
  }
  return keys;
};
