/** One small file of a container, also of one that has ended, through the archive API. */
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';

const MAX_BYTES = 64 * 1024;
const ANSWER_MS = 5_000;

/**
 * An archive that ends in its middle (the container was started again, or removed, while it was read) destroys the stream of the
 * entry with an error: an iterator takes it, where a stream without a listener would end the process.
 */
const firstFile = async (archive: NodeJS.ReadableStream): Promise<string> => {
  const tar = extract();
  let first: string | undefined;
  const read = async (): Promise<void> => {
    for await (const entry of tar) {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of entry) {
        const bytes = chunk as Buffer;
        size += bytes.length;
        if (size <= MAX_BYTES) chunks.push(bytes);
      }
      first ??= size <= MAX_BYTES ? Buffer.concat(chunks).toString('utf8') : '';
    }
  };
  await Promise.all([pipeline(archive, tar), read()]);
  return first ?? '';
};

/** Its text; empty when it is larger than 64 KiB. @throws as the engine does, also when there is none */
export const readSmallFile = async (container: Docker.Container, path: string): Promise<string> =>
  firstFile(await container.getArchive({ path, abortSignal: AbortSignal.timeout(ANSWER_MS) }));
