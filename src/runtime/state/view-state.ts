/**
 * A state of the bot to be looked at: a copy that is read-only, of what the archive store has. Nothing is stored, chosen or
 * marked; and a store that does not answer is never taken for an empty one (pitfall 30, features F2, F9, fault R35).
 */
import { chmodSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DroverError } from '../../domain/errors.ts';
import type { QueryStateSource } from '../../domain/query-frames.ts';
import type { AsOf } from '../../domain/query.ts';
import { snapshotText } from '../../domain/sync-report.ts';
import type { StateArchives } from '../../ports/state-archives.ts';
import { limitsOf, parseManifest, type StateManifest } from './manifest.ts';
import { findNewest, restoreFailed } from './newest.ts';
import { unpackState } from './unpack-state.ts';

export interface ViewOptions {
  readonly archives: Pick<StateArchives, 'list' | 'manifest' | 'open' | 'openLegacy'>;
  readonly incarnation: number;
  /** Empty, and nobody else's. */
  readonly statePath: string;
  /** Of archives that others made. */
  readonly limits: { readonly totalBytes: number; readonly fileBytes: number };
  /** A line for people. */
  readonly tell: (line: string) => void;
}

export type ViewSource = Exclude<QueryStateSource, { kind: 'volume' }>;

/** Snapshots go while we look only when newer ones come. */
const TRIES = 3;

/** As on a volume that is mounted read-only: a write that should not be fails, and is not lost unseen. */
const lock = (root: string): void => {
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444);
  }
  try {
    chmodSync(root, 0o555);
  } catch (error) {
    // Not our own: then it is not the bot's either.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
};

/** The newest state of this incarnation that was stored by then. @throws DroverError STATE_RESTORE_FAILED */
const findByTime = async ({ archives, incarnation }: ViewOptions, at: number): Promise<StateManifest | undefined> => {
  for (const id of [...(await archives.list())].reverse()) {
    const text = await archives.manifest(id);
    if (text === undefined) continue;
    const manifest = parseManifest(id, text);
    if (manifest.incarnation !== incarnation) return undefined;
    const createdAt = Date.parse(manifest.createdAt);
    if (Number.isNaN(createdAt)) {
      throw new DroverError('STATE_RESTORE_FAILED', `${snapshotText(id)}: its manifest has no valid time`);
    }
    if (manifest.kind === 'state' && createdAt <= at) return manifest;
  }
  return undefined;
};

const findAsOf = async (options: ViewOptions, source: AsOf): Promise<StateManifest> => {
  if (source.kind === 'time') {
    const found = await findByTime(options, source.at);
    if (found !== undefined) return found;
    throw new DroverError('SNAPSHOT_NOT_FOUND', `no snapshot was stored by ${new Date(source.at).toISOString()}`);
  }
  const text = await options.archives.manifest(source.snapshot);
  if (text !== undefined) return parseManifest(source.snapshot, text);
  throw new DroverError('SNAPSHOT_NOT_FOUND', `there is no snapshot ${snapshotText(source.snapshot)}`);
};

/** False: it went away after its manifest was read. @throws DroverError STATE_RESTORE_FAILED, ARCHIVE_UNAVAILABLE, … */
const unpackSnapshot = async ({ archives, statePath }: ViewOptions, manifest: StateManifest): Promise<boolean> => {
  const archive = await archives.open(manifest);
  if (archive === undefined) return false;
  try {
    const how = { target: statePath, limits: limitsOf(manifest), foreign: 'refuse' } as const;
    const made = await unpackState(archive.content, how);
    if (made.sha256 !== manifest.sha256) throw new Error('its SHA-256 differs from its manifest');
    if (made.tree !== manifest.tree) throw new Error('its content differs from its manifest');
    return true;
  } catch (thrown) {
    throw restoreFailed(snapshotText(manifest), thrown);
  }
};

const unpackLegacy = async ({ archives, statePath, limits, tell }: ViewOptions): Promise<boolean> => {
  const archive = await archives.openLegacy();
  if (archive === undefined) return false;
  try {
    const { skipped } = await unpackState(archive.content, { target: statePath, limits, foreign: 'skip' });
    if (skipped.length > 0) tell(`state.tar.gz: skipped ${skipped.slice(0, 10).join(', ')}`);
    return true;
  } catch (thrown) {
    throw restoreFailed('state.tar.gz', thrown);
  }
};

const viewNewest = async (options: ViewOptions): Promise<string> => {
  const { archives, incarnation } = options;
  let missing: StateManifest | undefined;
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const newest = await findNewest(options, await archives.list());
    // The state of an earlier incarnation is never inherited.
    if (newest === undefined) return incarnation === 1 && (await unpackLegacy(options)) ? 'archive' : 'none';
    if (await unpackSnapshot(options, newest)) return snapshotText(newest);
    missing = newest;
  }
  const name = missing === undefined ? 'the newest snapshot' : snapshotText(missing);
  throw new DroverError('STATE_RESTORE_FAILED', `${name}: its archive is missing`);
};

const viewAsOf = async (options: ViewOptions, source: AsOf): Promise<string> => {
  const manifest = await findAsOf(options, source);
  const name = snapshotText(manifest);
  if (await unpackSnapshot(options, manifest)) return name;
  throw new DroverError('STATE_RESTORE_FAILED', `${name}: its archive is missing`);
};

/**
 * Resolves with what is seen: `none`, `archive`, or a snapshot such as `a3/s7`. What was unpacked before a failure is worth nothing.
 * @throws DroverError STORAGE_UNAVAILABLE, STATE_RESTORE_FAILED, SNAPSHOT_NOT_FOUND, HOST_PRESSURE, ARCHIVE_FORBIDDEN
 */
export const viewState = async (options: ViewOptions, source: ViewSource): Promise<string> => {
  try {
    await mkdir(options.statePath, { recursive: true });
    const seen = await (source.kind === 'newest' ? viewNewest(options) : viewAsOf(options, source));
    lock(options.statePath);
    return seen;
  } catch (thrown) {
    const error = restoreFailed('the state', thrown);
    if (error.code !== 'ARCHIVE_UNAVAILABLE') throw error;
    throw new DroverError('STORAGE_UNAVAILABLE', error.message, { cause: thrown });
  }
};
