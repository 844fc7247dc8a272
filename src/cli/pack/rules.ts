/** What a packer leaves out: the rules of the0's command line, and those of the folder's own `.the0ignore` (contract §4). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from 'ignore';
import { DroverError } from '../../domain/errors.ts';

const IGNORE_FILE = '.the0ignore';
const DEFAULTS = [
  '*.log',
  '*.tmp',
  '*.temp',
  '*.pyc',
  '*.pyo',
  'test/',
  'tests/',
  '__tests__/',
  '__pycache__/',
  'Thumbs.db',
];
/** Kept whatever `.the0ignore` says: a bot without its dependencies cannot run. */
const KEPT = ['vendor', 'node_modules', 'frontend/dist'];
/** What was vendored is kept whole: a library may well have a module called `tests`. */
const VENDORED = /(^|\/)(vendor|node_modules)(\/|$)/;
const OUR_DOCUMENT = /^bot\.(ya?ml|json)$/;

export interface PackRules {
  /** Why this is left out, or undefined. `path`: relative to the folder, with `/`. */
  leftOutBy(path: string, isFolder: boolean): string | undefined;
  /** Something in it is kept, whatever becomes of the folder itself. */
  holdsKept(path: string): boolean;
}

/** Of the document, and of what makes the archive: theirs is no place in it, and nobody misses them there. */
export const isOurs = (path: string): boolean => OUR_DOCUMENT.test(path) || path === IGNORE_FILE;

const readIgnoreFile = async (folder: string): Promise<string> => {
  const file = join(folder, IGNORE_FILE);
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new DroverError('CODE_NOT_PACKABLE', `${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
};

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** @throws DroverError CODE_NOT_PACKABLE when the folder has a `.the0ignore` that cannot be read */
export const readPackRules = async (folder: string): Promise<PackRules> => {
  const own = (await readIgnoreFile(folder)).split(/\r?\n/).map((line) => line.trim());
  const byDefault = ignore({ ignorecase: false });
  for (const pattern of DEFAULTS) byDefault.add({ pattern, mark: pattern });
  const all = ignore({ ignorecase: false }).add(byDefault);
  const ownOnly = ignore({ ignorecase: false });
  for (const pattern of own) {
    all.add({ pattern, mark: `${pattern} in ${IGNORE_FILE}` });
    ownOnly.add({ pattern, mark: `${pattern} in ${IGNORE_FILE}` });
  }
  return {
    leftOutBy(path, isFolder) {
      if (path.slice(path.lastIndexOf('/') + 1).startsWith('.')) return 'the leading dot of its name';
      if (KEPT.some((folderName) => isBelow(path, folderName))) return undefined;
      const found = (VENDORED.test(path) ? ownOnly : all).test(isFolder ? `${path}/` : path);
      return found.ignored ? (found.rule?.mark ?? 'a pattern') : undefined;
    },
    holdsKept: (path) => KEPT.some((kept) => kept.startsWith(`${path}/`)),
  };
};
