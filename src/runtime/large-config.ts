/**
 * A configuration that no environment variable can hold (the kernel's limit is 128 KiB): it lies in a file, and a wrapper that
 * the interpreter loads first shows it as BOT_CONFIG and CONFIG to the program, and to all programs that it starts.
 */
import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fitsVariable } from '../domain/config-size.ts';
import { DroverError } from '../domain/errors.ts';
import type { RuntimeConfig } from './config.ts';

/** In memory, of this container alone: a configuration holds secrets. */
const FILE = '/dev/shm/bot-config.json';
const VARIABLE = 'BOT_CONFIG_FILE';
const WRAPPERS = '/app/wrappers';

export const isLarge = (botConfig: string): boolean => !fitsVariable('BOT_CONFIG', botConfig);

/** The variables that hand over the configuration, in whichever way. `env`: those that the program has besides. Pure. */
export const configVariables = (
  { botConfig, runtime }: Pick<RuntimeConfig, 'botConfig' | 'runtime'>,
  env: Readonly<Record<string, string>>,
): Record<string, string> => {
  if (!isLarge(botConfig)) return { CONFIG: botConfig, BOT_CONFIG: botConfig };
  const before = (name: string, ours: string, separator: string): Record<string, string> => {
    const { [name]: own = '' } = env;
    return { [VARIABLE]: FILE, [name]: own === '' ? ours : `${ours}${separator}${own}` };
  };
  if (runtime === 'python3.11') return before('PYTHONPATH', `${WRAPPERS}/large_config`, ':');
  if (runtime === 'nodejs20') return before('NODE_OPTIONS', `--require=${WRAPPERS}/large_config.cjs`, ' ');
  return { [VARIABLE]: FILE };
};

/**
 * Puts the file there, anew before each program starts: bots and queries can write where it lies. It is replaced in one step,
 * because a program that was started a moment ago may be about to read it.
 * @throws DroverError SPAWN_FAILED
 */
export const placeLargeConfig = ({ botConfig }: Pick<RuntimeConfig, 'botConfig'>, file = FILE): void => {
  if (!isLarge(botConfig)) return;
  try {
    const next = `${file}.next`;
    rmSync(next, { recursive: true, force: true });
    writeFileSync(next, botConfig, { mode: 0o400, flag: 'wx' });
    // A folder that a query made in its place cannot be replaced.
    if (lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      rmSync(file, { recursive: true, force: true });
    renameSync(next, file);
  } catch (thrown) {
    throw new DroverError('SPAWN_FAILED', `the configuration cannot be written to ${file}`, { cause: thrown });
  }
};
