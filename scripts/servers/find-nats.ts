/** The program `nats-server`: installed, else from Debian's package, else built. Nothing is installed on this machine. */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { aptDownload } from '../apt.ts';
import { cacheFolder, isProgram, madeOnce, onPath, runCommand, runs, thisMachine, type Machine } from '../machine.ts';
import { builtProgram, firstOf, installedProgram } from './go-tool.ts';
import { dropLeftovers, UNPACKING } from './leftovers.ts';
import { NoServer, wordOf, type Progress } from './test-server.ts';

const NAME = 'nats-server';
const VERSION = 'v2.12.15';

/** Unpacked aside from the system: an installed package would start a server of its own on the usual port. */
const unpack = async (target: string, progress: Progress, machine: Machine): Promise<void> => {
  const step = `fetching the package ${NAME} (once)`;
  progress(step);
  await mkdir(cacheFolder(machine), { recursive: true });
  const aside = await mkdtemp(join(cacheFolder(machine), UNPACKING));
  const tell = (line: string): void => {
    progress(step, line);
  };
  try {
    await aptDownload(NAME, aside, tell, machine);
    const [archive] = (await readdir(aside)).filter((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error('no package came');
    await runCommand('dpkg-deb', ['-x', archive, 'unpacked'], tell, { machine, cwd: aside });
    const program = join(aside, 'unpacked/usr/sbin', NAME);
    if (!(await runs(program, ['--version'], machine))) throw new Error('what was unpacked does not run');
    await mkdir(join(target, '..'), { recursive: true });
    await rename(program, target);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
};

const fromPackage = (progress: Progress, machine: Machine): Promise<string> => {
  const target = join(cacheFolder(machine), 'tools', `${NAME}-debian`, NAME);
  return madeOnce(machine, target, async () => {
    await dropLeftovers(machine);
    if (await isProgram(target)) return target;
    if ((await onPath('apt-get', machine)) === undefined) throw new NoServer('no `apt-get` to fetch its package');
    try {
      await unpack(target, progress, machine);
      return target;
    } catch (thrown) {
      progress(`no package ${NAME}`, wordOf(thrown));
      throw new NoServer(`no package of it (${wordOf(thrown)})`, { cause: thrown });
    }
  });
};

/** @throws NoServer with what was tried */
export const findNats = async (progress: Progress, machine: Machine = thisMachine): Promise<string> => {
  const module = 'github.com/nats-io/nats-server/v2';
  try {
    return await firstOf([
      () => installedProgram(NAME, machine),
      () => fromPackage(progress, machine),
      () => builtProgram({ name: NAME, module, version: VERSION, progress, machine }),
    ]);
  } catch (thrown) {
    throw new NoServer(`NATS: ${wordOf(thrown)} → install nats-server or Go, or set NATS_URL`, { cause: thrown });
  }
};
