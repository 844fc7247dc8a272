/** The cache of folds, beside the log. What cannot be read in it is left out, never an error. */
import type { Snapshot, SnapshotStore } from '../../ports/snapshot-store.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { translated } from './mongo-error.ts';

interface Row {
  readonly _id: string;
  readonly body: string;
}

const PAGE = 500;

const snapshotOf = ({ _id, body }: Row): Snapshot | undefined => {
  try {
    const snapshot = JSON.parse(body) as Snapshot;
    const { stream, version, machineVersion, at, context } = snapshot;
    const usable =
      stream === _id && Number.isSafeInteger(version) && Number.isSafeInteger(machineVersion) && typeof at === 'string';
    return usable && typeof context === 'object' ? { stream, version, machineVersion, at, context } : undefined;
  } catch {
    return undefined;
  }
};

export const createMongoSnapshotStore = ({ ours }: MongoConnection): SnapshotStore => {
  const rows = ours.collection<Row>('snapshots');
  return {
    save: (snapshots) =>
      translated(async () => {
        for (let start = 0; start < snapshots.length; start += PAGE) {
          await rows.bulkWrite(
            snapshots.slice(start, start + PAGE).map((snapshot) => ({
              updateOne: {
                filter: { _id: snapshot.stream },
                update: { $set: { body: JSON.stringify(snapshot) } },
                upsert: true,
              },
            })),
            { ordered: false },
          );
        }
      }),
    loadAll: () =>
      translated(async () =>
        (await rows.find().toArray()).map(snapshotOf).filter((snapshot) => snapshot !== undefined),
      ),
    clear: () =>
      translated(async () => {
        await rows.deleteMany({});
      }),
  };
};
