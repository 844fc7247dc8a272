/** What the volume knows of its own state: whose it is, how new, and whether it is whole. On /var/the0, never inside /state. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RestoreReport, SnapshotId } from '../../domain/sync-report.ts';

export interface StateMarker {
  readonly incarnation: number;
  /** The latest start that worked on this volume. */
  readonly attempt: number;
  /** `restoring`: what lies there is neither the old nor the new state. */
  readonly phase: 'restoring' | 'ready';
  /** The newest snapshot of what lies there, and the hash of its tree. */
  readonly snapshot?: SnapshotId;
  readonly tree?: string;
  /** The archive of others that was taken over, or that is older than what lies there. */
  readonly legacyEtag?: string;
  /** The archive for the reference's readers does not hold the snapshot yet. */
  readonly unpromoted?: true;
  /** The operator's choice that was followed. */
  readonly choice?: string;
  readonly restored?: RestoreReport;
}

export const markerPath = (the0Path: string): string => join(the0Path, 'state-marker.json');

/** Once the archive for the reference's readers holds the marker's snapshot. */
export const asPromoted = ({ unpromoted: _done, legacyEtag: _gone, ...marker }: StateMarker): StateMarker => marker;

/** Undefined when there is none. One that cannot be read is none: the volume is then not trusted. */
export const readMarker = (the0Path: string): StateMarker | undefined => {
  try {
    const marker = JSON.parse(readFileSync(markerPath(the0Path), 'utf8')) as StateMarker;
    return Number.isInteger(marker.attempt) && Number.isInteger(marker.incarnation) ? marker : undefined;
  } catch {
    return undefined;
  }
};

/** Durable before it returns: what follows relies on it. @throws as the file system does */
export const writeMarker = (the0Path: string, marker: StateMarker): void => {
  const path = markerPath(the0Path);
  const file = openSync(`${path}.new`, 'w', 0o644);
  try {
    writeSync(file, JSON.stringify(marker));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  const folder = openSync(the0Path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};
