/** Programs made with the compilers of this machine; what a machine has none for is left out, by name. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Is there a command of this name that can say its version? */
export const hasTool = (name: string): boolean => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;

/** What the commands make of the one source file. Each command runs in the folder of it. @throws Error with the compiler's words */
export const compile = async (
  source: Readonly<{ name: string; text: string }>,
  commands: readonly (readonly [string, ...string[]])[],
  result: string,
): Promise<Buffer> => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-compile-'));
  try {
    await writeFile(join(folder, source.name), source.text);
    for (const [command, ...args] of commands) await run(command, args, { cwd: folder });
    return await readFile(join(folder, result));
  } finally {
    await rm(folder, { recursive: true });
  }
};
