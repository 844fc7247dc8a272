/** Contract §6.1: which command runs a bot of a runtime. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Runtime } from '../domain/bot.ts';
import { assertNever, DroverError } from '../domain/errors.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

const WRAPPERS = '/app/wrappers';

/** The command as the contract has it; whether the image can run it is asked separately. Pure. */
export const commandFor = (runtime: Runtime, entrypoint: string, codePath: string): Command => {
  switch (runtime) {
    case 'python3.11':
      return { file: 'python3', args: [`${WRAPPERS}/python_bot.py`] };
    case 'nodejs20':
      return { file: 'node', args: [`${WRAPPERS}/node_bot.js`] };
    case 'dotnet8':
      return entrypoint.endsWith('.dll')
        ? { file: 'dotnet', args: [entrypoint] }
        : { file: 'dotnet', args: ['run', '--project', entrypoint] };
    case 'rust-stable':
    case 'gcc13':
    case 'cpp-gcc13':
    case 'ghc96':
      return { file: join(codePath, entrypoint), args: [] };
    case 'scala3': {
      const [jar = '', mainClass] = entrypoint.split(':');
      return { file: 'java', args: mainClass === undefined ? ['-jar', jar] : ['-cp', jar, mainClass] };
    }
    default:
      return assertNever(runtime);
  }
};

/** A program of the bot's beside it: its query program, its stop hook. Without our wrapper (contract §6.1). Pure. */
export const programFor = (runtime: Runtime, file: string, codePath: string): Command => {
  if (runtime === 'python3.11') return { file: 'python3', args: [join(codePath, file)] };
  if (runtime === 'nodejs20') return { file: 'node', args: [join(codePath, file)] };
  return commandFor(runtime, file, codePath);
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** @throws DroverError RUNTIME_UNSUPPORTED when the image has no such interpreter */
export const requireCommand = ({ file }: Command, runtime: Runtime, path: string): void => {
  if (file.startsWith('/')) return;
  if (!path.split(delimiter).some((folder) => isExecutable(join(folder, file)))) {
    throw new DroverError('RUNTIME_UNSUPPORTED', `this image cannot run ${runtime}: there is no ${file} in it`);
  }
};

/** Runtimes whose entrypoints are programs: archives made elsewhere often lose the x bit. */
export const isCompiled = (runtime: Runtime): boolean =>
  runtime === 'rust-stable' || runtime === 'gcc13' || runtime === 'cpp-gcc13' || runtime === 'ghc96';
