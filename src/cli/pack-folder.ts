/** A bot's folder as a zip: the same bytes for the same files. What the reference's tool leaves out is left out (contract §4). */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['test', 'tests', '__tests__', '__pycache__']);
const SKIPPED_FILES = /(\.(log|tmp|temp|pyc|pyo)|^Thumbs\.db|^bot\.(ya?ml|json))$/;
/** The format knows local time only: this is the same moment of the clock in every zone. */
const EPOCH = new Date(1980, 0, 1);
/** What was vendored is kept whole: a library may well have a module called `tests`. */
const VENDORED = /(^|\/)(vendor|node_modules)(\/|$)/;

const filesIn = async (folder: string, prefix = ''): Promise<string[]> => {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry): Promise<string[]> => {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (entry.name.startsWith('.')) return [];
      if (entry.isDirectory()) {
        return SKIPPED_FOLDERS.has(entry.name) && !VENDORED.test(prefix) ? [] : filesIn(folder, path);
      }
      return entry.isFile() && !SKIPPED_FILES.test(entry.name) ? [path] : [];
    }),
  );
  return found.flat().sort();
};

/** @returns the zip and the first 16 hex digits of its sha256 */
export const packFolder = async (folder: string): Promise<{ content: Buffer; digest: string }> => {
  const zip = new ZipFile();
  for (const path of await filesIn(folder)) {
    const file = join(folder, path);
    const executable = ((await stat(file)).mode & 0o111) !== 0;
    zip.addBuffer(await readFile(file), path, {
      mtime: EPOCH,
      forceDosTimestamp: true,
      mode: executable ? 0o100755 : 0o100644,
    });
  }
  zip.end();
  const content = await buffer(zip.outputStream);
  return { content, digest: createHash('sha256').update(content).digest('hex').slice(0, 16) };
};
