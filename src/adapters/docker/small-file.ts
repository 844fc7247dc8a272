/** One small file of a container, also of one that has ended, through the archive API. */
import type Docker from 'dockerode';
import { extract } from 'tar-stream';

const MAX_BYTES = 64 * 1024;
const ANSWER_MS = 5_000;

const firstFile = (archive: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve, reject) => {
    const tar = extract();
    tar.on('entry', (_header, stream, next) => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk) => {
        const bytes = chunk as Buffer;
        size += bytes.length;
        if (size <= MAX_BYTES) chunks.push(bytes);
      });
      stream.on('end', () => {
        resolve(size <= MAX_BYTES ? Buffer.concat(chunks).toString('utf8') : '');
        next();
      });
    });
    tar.on('error', reject);
    tar.on('finish', () => {
      resolve('');
    });
    archive.on('error', reject);
    archive.pipe(tar);
  });

/** Its text; empty when it is larger than 64 KiB. @throws as the engine does, also when there is none */
export const readSmallFile = async (container: Docker.Container, path: string): Promise<string> =>
  firstFile(await container.getArchive({ path, abortSignal: AbortSignal.timeout(ANSWER_MS) }));
