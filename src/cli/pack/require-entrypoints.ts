/** Would the bot find its programs in the archive, and can they run on Linux? What `runtime execute` refuses at a start is told here. */
import { open } from 'node:fs/promises';
import { DroverError } from '../../domain/errors.ts';
import { isObject } from '../../domain/json.ts';
import type { PackedFile, Walked } from './walk.ts';

type Json = Record<string, unknown>;

/** `require` takes a module's name as well as its file. */
const NODE_ENDINGS = ['', '.js', '/package.json', '/index.js'];
const COMPILED: ReadonlySet<unknown> = new Set(['rust-stable', 'gcc13', 'cpp-gcc13', 'ghc96']);
const MACH_O: ReadonlySet<string> = new Set(['feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe']);

const missing = (message: string): DroverError => new DroverError('ENTRYPOINT_MISSING', message);

const codeOf = (document: Json): Json => {
  const { custom } = document;
  return isObject(custom) && isObject(custom['config']) ? custom['config'] : {};
};

/** Without a `./` in front, and without the class that `bot.jar:Main` names. */
const fileOf = (entrypoint: string, runtime: unknown): string => {
  const plain = entrypoint.replace(/^(\.\/)+/, '');
  return runtime === 'scala3' ? (plain.split(':')[0] ?? '') : plain;
};

const find = (files: readonly PackedFile[], entrypoint: string, runtime: unknown): PackedFile | undefined => {
  const endings = runtime === 'nodejs20' ? NODE_ENDINGS : [''];
  return (
    files.find(({ path }) => endings.some((ending) => path === entrypoint + ending)) ??
    // A project of .NET may be named by its folder.
    (runtime === 'dotnet8' ? files.find(({ path }) => path.startsWith(`${entrypoint.replace(/\/$/, '')}/`)) : undefined)
  );
};

const whyMissing = ({ leftOut }: Walked, file: string): string => {
  const cause = leftOut.find(({ path }) => (path.endsWith('/') ? file.startsWith(path) : file === path));
  return cause === undefined ? 'there is no such file in the folder' : `${cause.path} is left out by ${cause.by}`;
};

const foreignFormat = async (source: string): Promise<string | undefined> => {
  const handle = await open(source, 'r');
  try {
    const head = Buffer.alloc(4);
    await handle.read(head, 0, 4, 0);
    if (MACH_O.has(head.toString('hex'))) return 'a program for macOS';
    return head.toString('latin1', 0, 2) === 'MZ' ? 'a program for Windows' : undefined;
  } finally {
    await handle.close();
  }
};

/** @throws DroverError ENTRYPOINT_MISSING with the pattern that left it out, CODE_NOT_PACKABLE for a program of another system */
export const requireEntrypoints = async (document: Json, walked: Walked): Promise<void> => {
  const { entrypoints, runtime } = codeOf(document);
  if (!isObject(entrypoints)) return;
  for (const role of ['bot', 'query', 'stop']) {
    const entrypoint = entrypoints[role];
    // What is wrong with the document itself is told by the API.
    if (typeof entrypoint !== 'string' || entrypoint === '') continue;
    const file = fileOf(entrypoint, runtime);
    const found = find(walked.files, file, runtime);
    if (found === undefined) {
      throw missing(`${entrypoint} (entrypoints.${role}) is not in the code: ${whyMissing(walked, file)}`);
    }
    const foreign = COMPILED.has(runtime) ? await foreignFormat(found.source) : undefined;
    if (foreign !== undefined) {
      throw new DroverError(
        'CODE_NOT_PACKABLE',
        `${entrypoint} (entrypoints.${role}) is ${foreign}, and bots run on Linux: compile it for Linux`,
      );
    }
  }
};
