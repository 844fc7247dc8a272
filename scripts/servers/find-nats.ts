/** The program `nats-server`: installed, else from Debian's package, else built. Nothing is installed on this machine. */
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runTold } from '../base-image.ts';
import { cacheFolder, goTool } from './go-tool.ts';
import type { Progress } from './test-server.ts';

const NAME = 'nats-server';
const VERSION = 'v2.12.15';
/** Where Debian puts it; not on the PATH of everybody. */
const SBIN = ['/usr/sbin', '/usr/local/sbin'];

const firstProgram = async (folders: readonly string[]): Promise<string | undefined> => {
  for (const folder of folders) {
    const path = join(folder, NAME);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
};

/** Unpacked aside from the system: an installed package would start a server of its own on the usual port. */
const unpack = async (target: string, progress: Progress): Promise<void> => {
  const step = `fetching the package ${NAME} (once)`;
  progress(step);
  await mkdir(cacheFolder(), { recursive: true });
  const aside = await mkdtemp(join(cacheFolder(), '.unpacking-'));
  const tell = (line: string): void => {
    progress(step, line);
  };
  const inAside = (command: string): Promise<void> => runTold('sh', ['-c', `cd "$1" && ${command}`, 'sh', aside], tell);
  try {
    await inAside(`apt-get download ${NAME}`).catch(async () => {
      await inAside('apt-get update');
      await inAside(`apt-get download ${NAME}`);
    });
    const [archive] = (await readdir(aside)).filter((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error('no package came');
    await inAside(`dpkg-deb -x ${archive} unpacked`);
    await mkdir(join(target, '..'), { recursive: true });
    await rename(join(aside, 'unpacked/usr/sbin', NAME), target);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
};

const fromPackage = async (progress: Progress): Promise<string | undefined> => {
  const folder = join(cacheFolder(), 'tools', `${NAME}-debian`);
  const unpacked = await firstProgram([folder]);
  if (unpacked !== undefined) return unpacked;
  try {
    await unpack(join(folder, NAME), progress);
  } catch (thrown) {
    progress(`no package ${NAME}`, thrown instanceof Error ? thrown.message : String(thrown));
  }
  return firstProgram([folder]);
};

export const findNats = async (progress: Progress): Promise<string | undefined> =>
  (await firstProgram([...(process.env['PATH'] ?? '').split(delimiter), ...SBIN])) ??
  (await fromPackage(progress)) ??
  (await goTool({ name: NAME, module: 'github.com/nats-io/nats-server/v2', version: VERSION, progress }));
