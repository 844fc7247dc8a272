/** A bot's folder as a zip in a file of its own: the same bytes for the same files. What is left out: `pack/rules.ts`. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { CODE_LIMITS, sizeText } from '../domain/code-limits.ts';
import { DroverError } from '../domain/errors.ts';
import { readPackRules } from './pack/rules.ts';
import { largestOf, walkFolder, type PackedFile, type Walked } from './pack/walk.ts';

export interface Packed {
  /** Where the archive lies. */
  readonly file: string;
  readonly bytes: number;
  /** First 16 hex digits of its SHA-256. */
  readonly digest: string;
}

/** The format knows local time only: this is the same moment of the clock in every zone. */
const EPOCH = new Date(1980, 0, 1);
/** Larger files are streamed; the format writes those in another way, so a change of this number is a new digest for old code. */
const STREAMED_BYTES = 16 * 1024 ** 2;

const tooLarge = (folder: string, files: readonly PackedFile[]): DroverError =>
  new DroverError(
    'CODE_TOO_LARGE',
    `the archive of the code in ${folder} has more than ${sizeText(CODE_LIMITS.archiveBytes)}, which is the limit; ` +
      `its largest files are ${largestOf(files)}`,
  );

const addAll = async (zip: ZipFile, files: readonly PackedFile[]): Promise<void> => {
  for (const { path, source, bytes, executable } of files) {
    const options = { mtime: EPOCH, forceDosTimestamp: true, mode: executable ? 0o100755 : 0o100644 };
    if (bytes >= STREAMED_BYTES) zip.addFile(source, path, options);
    else zip.addBuffer(await readFile(source), path, options);
  }
  zip.end();
};

/** @throws DroverError CODE_TOO_LARGE */
const writeZip = async (folder: string, { files }: Walked, file: string): Promise<Packed> => {
  const zip = new ZipFile();
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > CODE_LIMITS.archiveBytes) done(tooLarge(folder, files));
      else done(null, chunk);
    },
  });
  const failed = new AbortController();
  zip.on('error', (error: Error) => {
    failed.abort(error);
  });
  const writing = pipeline(zip.outputStream, counted, createWriteStream(file), { signal: failed.signal });
  try {
    await Promise.all([addAll(zip, files), writing]);
  } catch (error) {
    if (error instanceof DroverError) throw error;
    const cause = failed.signal.aborted ? (failed.signal.reason as Error) : (error as Error);
    failed.abort(cause);
    throw new DroverError('CODE_NOT_PACKABLE', `the code in ${folder} cannot be packed: ${cause.message}`, { cause });
  }
  return { file, bytes, digest: hash.digest('hex').slice(0, 16) };
};

/** What would lie in the archive of a folder, and what would not. @throws DroverError CODE_NOT_PACKABLE, CODE_TOO_LARGE */
export const readFolder = async (folder: string): Promise<Walked> => walkFolder(folder, await readPackRules(folder));

/** The archive is there while `use` works with it. @throws DroverError CODE_NOT_PACKABLE, CODE_TOO_LARGE, and what `use` throws */
export const withPacked = async <T>(
  folder: string,
  walked: Walked,
  use: (packed: Packed) => Promise<T>,
): Promise<T> => {
  const place = await mkdtemp(join(tmpdir(), 'drover-pack-'));
  try {
    return await use(await writeZip(folder, walked, join(place, 'code.zip')));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
};

const SHOWN = 8;

/** One line for people: what of the folder is not in the archive; undefined when all of it is. */
export const leftOutLine = ({ files, leftOut }: Walked, bytes: number): string | undefined => {
  if (leftOut.length === 0) return undefined;
  const names = leftOut.slice(0, SHOWN).map(({ path }) => path);
  const more = leftOut.length > SHOWN ? [`and ${String(leftOut.length - SHOWN)} more`] : [];
  const archive = `packed ${String(files.length)} ${files.length === 1 ? 'file' : 'files'}, ${sizeText(bytes)}`;
  return `${archive}; left out ${String(leftOut.length)}: ${[...names, ...more].join(', ')}`;
};
