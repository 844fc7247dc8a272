/** The code of the bot, checked against what the controller pinned before a byte of it runs, and unpacked. */
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Runtime } from '../domain/bot.ts';
import { DELIVERY } from '../domain/delivery.ts';
import { DroverError } from '../domain/errors.ts';
import { isCompiled } from './command-for.ts';
import type { RuntimeConfig } from './config.ts';
import type { Skipped } from './entry-rules.ts';

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

/** `runtime.jar:Main` names a file and something in it. */
const fileOf = (entrypoint: string): string => entrypoint.split(':')[0] ?? '';

/** The wrapper loads by `require`, which takes a module's name as well as its file. */
const NODE_ENDINGS = ['', '.js', '/package.json', '/index.js'];

const isEntrypoint = async (path: string, runtime: Runtime): Promise<boolean> => {
  for (const ending of runtime === 'nodejs20' ? NODE_ENDINGS : ['']) if (await isFile(path + ending)) return true;
  return false;
};

const unpack = async ({ codeDigest, codePath }: RuntimeConfig): Promise<readonly Skipped[]> => {
  if (codeDigest === undefined) throw new DroverError('CODE_NOT_CACHED', 'no digest of the code was given');
  const archive = join(DELIVERY.codeCache, `${codeDigest}.zip`);
  if (!(await isFile(archive))) throw new DroverError('CODE_NOT_CACHED', `${codeDigest} is not in the code cache`);
  // Loaded late: a bot whose code is in the image needs no unzipper in its memory.
  const [{ unpackCode }, { requireDigest }, { emptyFolder }] = await Promise.all([
    import('./unpack-code.ts'),
    import('./code/require-digest.ts'),
    import('./empty-folder.ts'),
  ]);
  // Under its name lies another archive: the cache is damaged, and the archive itself may well be as it was.
  await requireDigest(archive, codeDigest).catch((error: unknown) => {
    const isOther = error instanceof DroverError && error.code === 'CODE_INVALID';
    throw isOther ? new DroverError('CODE_NOT_CACHED', `the code cache is damaged: ${error.message}`) : error;
  });
  // What an earlier run of this very container left: it was started again by hand.
  await emptyFolder(codePath);
  return (await unpackCode(archive, codePath)).skipped;
};

/** Resolves with what the archive holds and is not in the folder. @throws DroverError CODE_NOT_CACHED, CODE_INVALID, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE, HOST_PRESSURE, ENTRYPOINT_MISSING */
export const prepareCode = async (config: RuntimeConfig): Promise<readonly Skipped[]> => {
  const { codeFile, codePath, entrypoint, queryEntrypoint, stopEntrypoint, runtime } = config;
  const skipped = codeFile === '' ? [] : await unpack(config);
  const file = join(codePath, fileOf(entrypoint));
  // A project of .NET may be named by its folder; everything else is a file.
  if (!(await isEntrypoint(file, runtime)) && runtime !== 'dotnet8') {
    const why = skipped.find(({ name }) => name === entrypoint)?.why;
    const more = why === undefined ? '' : `: the entry of that name ${why}`;
    throw new DroverError('ENTRYPOINT_MISSING', `${entrypoint} is not in the code archive${more}`);
  }
  if (!isCompiled(runtime)) return skipped;
  await chmod(file, 0o755);
  for (const other of [queryEntrypoint, stopEntrypoint]) {
    if (other !== undefined) await chmod(join(codePath, other), 0o755).catch(() => undefined);
  }
  return skipped;
};
