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
  /** Over the limits of contract §4, the largest first: not in it. */
  readonly overLimit?: readonly { readonly path: string; readonly bytes: number }[];
  /** Etag of an archive of others whose content went into this state; while it is there, it is no new edit. */
  readonly takenOver?: string;
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
  if (typeof manifest !== 'object' || (manifest as unknown) === null) throw failed(id, 'its manifest is not readable');
  const { schema, attempt, sequence, sha256, tree, bytes } = manifest as Partial<StateManifest> & { schema?: number };
  if (schema !== 1) throw failed(id, `its manifest has schema ${String(schema)}, written by a newer drover`);
  const isOfIt = attempt === id.attempt && sequence === id.sequence;
  if (!isOfIt || typeof sha256 !== 'string' || typeof tree !== 'string' || typeof bytes !== 'number') {
    throw failed(id, 'its manifest is of another snapshot, or damaged');
  }
  return manifest;
};

/** What was once stored can be had back, whatever the limits are by now. */
export const limitsOf = ({ bytes }: StateManifest): { readonly totalBytes: number; readonly fileBytes: number } => ({
  totalBytes: bytes,
  fileBytes: bytes,
});
