/**
 * One small file of a container, also of one that has ended, through the archive API. A bot can write to the place: what lies there is
 * believed to be a file of a size that we read before a byte of it is taken, and nothing that is larger is ever sent whole.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';

const MAX_BYTES = 64 * 1024;
/** Of the archive: the file, its headers (a long name has more), and the padding around them. */
const MAX_ARCHIVE_BYTES = MAX_BYTES + 32 * 1024;
const ANSWER_MS = 5_000;

/** Every bit of the type in Go's file mode; a plain file has none of them. */
const MODE_TYPE = 0x8f280000;

interface PathStat {
  readonly size: number;
  readonly mode: number;
}

/** What the engine says of the path before it sends it; undefined when it says nothing that can be read. */
const statIn = (headers: IncomingHttpHeaders | undefined): PathStat | undefined => {
  const told = headers?.['x-docker-container-path-stat'];
  if (typeof told !== 'string') return undefined;
  try {
    const { size, mode } = JSON.parse(Buffer.from(told, 'base64').toString('utf8')) as Partial<PathStat>;
    return typeof size === 'number' && typeof mode === 'number' ? { size, mode } : undefined;
  } catch {
    return undefined;
  }
};

const isSmallFile = ({ size, mode }: PathStat): boolean => (mode & MODE_TYPE) === 0 && size <= MAX_BYTES;

/** Ends a stream that is longer than was announced. */
const noMoreThan = (most: number): Transform => {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      if (passed > most) done(new Error(`the archive is larger than ${String(most)} bytes`));
      else done(null, chunk);
    },
  });
};

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
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      const { type, size } = entry.header;
      first ??= type === 'file' && size <= MAX_BYTES ? Buffer.concat(chunks).toString('utf8') : '';
    }
  };
  await Promise.all([pipeline(archive, noMoreThan(MAX_ARCHIVE_BYTES), tar), read()]);
  return first ?? '';
};

/** A stream of the engine's client is the response itself. */
type Answer = NodeJS.ReadableStream & { readonly headers?: IncomingHttpHeaders; destroy(): unknown };

/**
 * Its text; empty when it is larger than 64 KiB, or no plain file (a folder, a link, a pipe, a device).
 * @throws as the engine does, also when there is none or it is not read within 5 s
 */
export const readSmallFile = async (container: Docker.Container, path: string): Promise<string> => {
  const answer = (await container.getArchive({ path, abortSignal: AbortSignal.timeout(ANSWER_MS) })) as Answer;
  const stat = statIn(answer.headers);
  if (stat !== undefined && !isSmallFile(stat)) {
    // The engine stops sending when nobody listens.
    answer.on('error', () => undefined);
    answer.destroy();
    return '';
  }
  return firstFile(answer);
};
