/** A server program written in Go: from PATH, else built once into a cache outside the repository. */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, isProgram, madeOnce, onPath, runCommand, runs, thisMachine, type Machine } from '../machine.ts';
import { BUILDING, dropLeftovers } from './leftovers.ts';
import { NoServer, wordOf, type Progress } from './test-server.ts';

export interface GoTool {
  /** Of the program, on PATH and as `go install` names it. */
  readonly name: string;
  readonly module: string;
  /** One exact version, never `latest`. */
  readonly version: string;
  readonly progress: Progress;
  readonly machine?: Machine;
}

/** From PATH, if it runs: a program for another system is none. @throws NoServer with why it is not taken */
export const installedProgram = async (name: string, machine: Machine): Promise<string> => {
  const path = await onPath(name, machine);
  if (path === undefined) throw new NoServer(`no \`${name}\` on PATH`);
  if (!(await runs(path, ['--version'], machine))) throw new NoServer(`${path} does not run`);
  return path;
};

const build = async (tool: GoTool, go: string, target: string, machine: Machine): Promise<void> => {
  const parent = join(target, '../..');
  await mkdir(parent, { recursive: true });
  // Built aside and moved as a whole: two who build at once do no harm, and half a build is never found.
  const aside = await mkdtemp(join(parent, BUILDING));
  const step = `building ${tool.name} ${tool.version} (once, some minutes)`;
  tool.progress(step);
  try {
    const tell = (line: string): void => {
      tool.progress(step, line);
    };
    const env = { CGO_ENABLED: '0', GOBIN: aside };
    await runCommand(go, ['install', `${tool.module}@${tool.version}`], tell, { machine, env });
    if (!(await runs(join(aside, tool.name), ['--version'], machine))) throw new Error('what was built does not run');
    await mkdir(join(target, '..'), { recursive: true });
    await rename(join(aside, tool.name), target);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
};

/** Path of the program in the cache. @throws NoServer with why it could not be built */
export const builtProgram = async (tool: GoTool): Promise<string> => {
  const { machine = thisMachine, name, version } = tool;
  const target = join(cacheFolder(machine), 'tools', `${name}-${version}`, name);
  return madeOnce(machine, target, async () => {
    await dropLeftovers(machine);
    if (await isProgram(target)) return target;
    const go = await onPath('go', machine);
    if (go === undefined) throw new NoServer('no `go` that could build it');
    // A `go` that cannot even tell its version builds nothing.
    if (!(await runs(go, ['version'], machine))) throw new NoServer(`${go}, which could build it, does not run`);
    try {
      await build(tool, go, target, machine);
      return target;
    } catch (thrown) {
      throw new NoServer(`could not be built (${wordOf(thrown)})`, { cause: thrown });
    }
  });
};

/** The first of several ways that gives a program. @throws NoServer with all that was tried */
export const firstOf = async (ways: readonly (() => Promise<string>)[]): Promise<string> => {
  const why: string[] = [];
  for (const way of ways) {
    try {
      return await way();
    } catch (thrown) {
      if (!(thrown instanceof NoServer)) throw thrown;
      why.push(thrown.message);
    }
  }
  throw new NoServer(why.join(', '));
};

/** Path of the program. @throws NoServer with what was tried */
export const goTool = (tool: GoTool): Promise<string> =>
  firstOf([() => installedProgram(tool.name, tool.machine ?? thisMachine), () => builtProgram(tool)]);
