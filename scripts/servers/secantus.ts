/** The program `secantusd-py` of the Python package secantusdb, which speaks MongoDB's protocol: from PATH, else installed once. */
import { access, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, isProgram, madeOnce, onPath, runCommand, runs, thisMachine, type Machine } from '../machine.ts';
import { dropLeftovers } from './leftovers.ts';
import { NoServer, wordOf, type Progress } from './test-server.ts';

/** One exact version. */
const PACKAGE = 'secantusdb==0.7.0b3';
const NAME = 'secantusd-py';

const install = async (python: string, target: string, progress: Progress, machine: Machine): Promise<void> => {
  const tools = join(target, '..');
  await mkdir(tools, { recursive: true });
  // It cannot be moved once it is made, for its programs know their place. So it is found by a link that comes last: two
  // who install at once do no harm, and half an installation is never found.
  const place = await mkdtemp(`${target}.`);
  const step = `installing ${PACKAGE} (once)`;
  progress(step);
  const told = (line: string): void => {
    progress(step, line);
  };
  try {
    await runCommand(python, ['-m', 'venv', place], told, { machine });
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    // Built from its source it would take longer than anybody waits.
    await runCommand(
      join(place, 'bin/python'),
      ['-m', 'pip', 'install', ...quiet, '--only-binary', 'secantusdb', PACKAGE],
      told,
      { machine },
    );
    if (!(await isProgram(join(place, 'bin', NAME)))) throw new Error(`the package came without ${NAME}`);
    await symlink(place, `${place}.link`);
    await rename(`${place}.link`, target);
  } catch (thrown) {
    await rm(place, { recursive: true, force: true });
    throw thrown;
  }
};

/** Its Python may have gone or been replaced since. */
const isWhole = async (target: string): Promise<boolean> =>
  (await isProgram(join(target, 'bin', NAME))) &&
  (await access(join(target, 'bin/python')).then(
    () => true,
    () => false,
  ));

/** Path of the program. @throws NoServer with what was tried */
export const findSecantus = async (progress: Progress, machine: Machine = thisMachine): Promise<string> => {
  const installed = await onPath(NAME, machine);
  if (installed !== undefined && (await runs(installed, ['--help'], machine))) return installed;
  const target = join(cacheFolder(machine), 'tools', PACKAGE.replace('==', '-'));
  const path = join(target, 'bin', NAME);
  return madeOnce(machine, target, async () => {
    await dropLeftovers(machine);
    if (await isWhole(target)) return path;
    const python = await onPath('python3', machine);
    if (python === undefined) throw new NoServer(`no \`python3\` that could install ${PACKAGE}`);
    try {
      await install(python, target, progress, machine);
    } catch (thrown) {
      throw new NoServer(`${PACKAGE} could not be installed with python3 (${wordOf(thrown)})`, { cause: thrown });
    }
    return path;
  });
};
