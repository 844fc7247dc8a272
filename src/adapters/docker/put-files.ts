/** Small files into a container, also one that runs, as long as they lie on a volume. */
import { basename, dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';

const OWNER = { uid: 1_000, gid: 1_000 };

export interface PutFiles {
  /** Path → content; all in the same folder, owner 1000, mode 0400. */
  readonly files: ReadonlyMap<string, string>;
  /** Asked when all else is ready. @throws DroverError LEASE_LOST */
  readonly mayAct: () => void;
  readonly abortSignal: AbortSignal;
}

/** @throws as the engine and `mayAct` do */
export const putFiles = async (
  container: Docker.Container,
  { files, mayAct, abortSignal }: PutFiles,
): Promise<void> => {
  const tar = pack();
  const folders = new Set<string>();
  for (const [path, content] of files) {
    folders.add(dirname(path));
    tar.entry({ name: basename(path), mode: 0o400, ...OWNER }, content);
  }
  tar.finalize();
  const [folder] = folders;
  if (folder === undefined) return;
  const archive = await buffer(tar);
  // A process that is frozen between this answer and the write to the engine's socket acts on a term that has ended when it wakes.
  // What is left in between is the client's: a turn of the event loop or two, until its socket is connected. No check on this side
  // can close that, because the engine knows no terms; therefore nothing that is sent here may do harm when it comes late.
  mayAct();
  await container.putArchive(archive, { path: folder, abortSignal });
};
