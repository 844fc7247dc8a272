/** Small files into a container, also one that runs, as long as they lie on a volume. */
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';

const OWNER = { uid: 1_000, gid: 1_000 };

/** Path → content; all in the same folder, owner 1000, mode 0400. @throws as the engine does */
export const putFiles = async (
  container: Docker.Container,
  files: ReadonlyMap<string, string>,
  abortSignal: AbortSignal,
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
  await container.putArchive(Readable.from(tar, { objectMode: false }), { path: folder, abortSignal });
};
