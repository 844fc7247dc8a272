/** A server program written in Go: from PATH, else built once into a cache outside the repository. */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { runTold } from '../base-image.ts';
import type { Progress } from './test-server.ts';

const run = promisify(execFile);

export interface GoTool {
  /** Of the program, on PATH and as `go install` names it. */
  readonly name: string;
  readonly module: string;
  /** One exact version, never `latest`. */
  readonly version: string;
  readonly progress: Progress;
}

export const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Path of the program, or undefined. */
export const onPath = async (name: string): Promise<string | undefined> => {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const path = join(folder, name);
    if (await isProgram(path)) return path;
  }
  return undefined;
};

export const cacheFolder = (): string =>
  join(process.env['DROVER_CACHE'] ?? process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'drover');

const build = async (tool: GoTool, go: string, target: string): Promise<void> => {
  const parent = join(target, '../..');
  await mkdir(parent, { recursive: true });
  // Built aside and moved as a whole: two who build at once do no harm, and half a build is never found.
  const aside = await mkdtemp(join(parent, '.building-'));
  const step = `building ${tool.name} ${tool.version} (once, some minutes)`;
  tool.progress(step);
  try {
    await runTold(
      'env',
      ['CGO_ENABLED=0', `GOBIN=${aside}`, go, 'install', `${tool.module}@${tool.version}`],
      (line) => {
        tool.progress(step, line);
      },
    );
    await mkdir(join(target, '..'), { recursive: true });
    await rename(join(aside, tool.name), target);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
};

/** Path of the program, or undefined when it is not here and cannot be built. */
export const goTool = async (tool: GoTool): Promise<string | undefined> => {
  const installed = await onPath(tool.name);
  if (installed !== undefined) return installed;
  const target = join(cacheFolder(), 'tools', `${tool.name}-${tool.version}`, tool.name);
  if (await isProgram(target)) return target;
  const go = await onPath('go');
  if (go === undefined) return undefined;
  // A `go` that cannot even tell its version builds nothing.
  const works = await run(go, ['version']).then(
    () => true,
    () => false,
  );
  if (!works) return undefined;
  try {
    await build(tool, go, target);
    return target;
  } catch (thrown) {
    tool.progress(`${tool.name} could not be built`, thrown instanceof Error ? thrown.message : String(thrown));
    return undefined;
  }
};
