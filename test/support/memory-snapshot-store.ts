/** The snapshot store port in memory; keeps what JSON keeps, as a real store does. */
import type { Snapshot, SnapshotStore } from '../../src/ports/snapshot-store.ts';

export const createMemorySnapshotStore = (): SnapshotStore => {
  const rows = new Map<string, string>();
  return {
    save: (snapshots) => {
      for (const snapshot of snapshots) rows.set(snapshot.stream, JSON.stringify(snapshot));
      return Promise.resolve();
    },
    loadAll: () => Promise.resolve([...rows.values()].map((row) => JSON.parse(row) as Snapshot)),
    clear: () => {
      rows.clear();
      return Promise.resolve();
    },
  };
};
