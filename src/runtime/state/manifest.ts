/** What a snapshot says of itself. Stored after it: a snapshot exists once its manifest does. */
import { DroverError } from '../../domain/errors.ts';
import { snapshotText, type SnapshotId } from '../../domain/sync-report.ts';

export interface StateManifest extends SnapshotId {
  readonly schema: 1;
  readonly incarnation: number;
  /** Of the archive as it is stored. */
  readonly sha256: string;
  readonly size: number;
  /** Hash of paths and contents. */
  readonly tree: string;
  readonly files: number;
  readonly bytes: number;
  /** `former`: kept before it was replaced; never restored unless it is chosen. */
  readonly kind: 'state' | 'former';
  /** Made by the last sync of a start. */
  readonly clean: boolean;
  readonly createdAt: string;
  readonly parent?: SnapshotId;
  /** Files that did not hold still while they were read. */
  readonly torn?: readonly string[];
}

const failed = (id: SnapshotId, why: string): DroverError =>
  new DroverError('STATE_RESTORE_FAILED', `${snapshotText(id)}: ${why}`);

/** @throws DroverError STATE_RESTORE_FAILED for what is no manifest of this snapshot, or of a newer drover */
export const parseManifest = (id: SnapshotId, text: string): StateManifest => {
  let manifest: StateManifest;
  try {
    manifest = JSON.parse(text) as StateManifest;
  } catch {
    throw failed(id, 'its manifest is not readable');
  }
  const { schema, attempt, sequence, sha256, tree } = manifest as Partial<StateManifest> & { schema?: number };
  if (schema !== 1) throw failed(id, `its manifest has schema ${String(schema)}, written by a newer drover`);
  if (attempt !== id.attempt || sequence !== id.sequence || typeof sha256 !== 'string' || typeof tree !== 'string') {
    throw failed(id, 'its manifest is of another snapshot, or damaged');
  }
  return manifest;
};
