/** An ephemeral query, or the query server alone: the bot's query program in the foreground (contract §8.2). */
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import { DroverError } from '../domain/errors.ts';
import { botEnvironment } from './bot-environment.ts';
import { programFor } from './command-for.ts';
import type { RuntimeConfig } from './config.ts';
import { HOME_OF_QUERIES, placeHome } from './home.ts';
import { placeLargeConfig } from './large-config.ts';
import { startGroup } from './process-group.ts';
import { openResult, RESULT_FILE } from './query/query-result.ts';
import { queryVariables } from './query/variables.ts';

const NEWLINE = 0x0a;

const queryEnvironment = ({ query }: RuntimeConfig): Record<string, string> =>
  query === undefined ? {} : queryVariables(query.path, query.params);

/** One that stayed from an earlier query would speak for this one. Never throws. */
const dropResult = (): void => {
  try {
    rmSync(RESULT_FILE, { force: true });
  } catch {
    // Then the program cannot write one either.
  }
};

/** The result as the last line of standard output, for who has no other way to it. JSON has no line breaks within its strings. */
const printResult = (isLineOpen: boolean): void => {
  const result = openResult();
  if (result === undefined) return;
  const text = Buffer.concat([...result.pieces()])
    .toString('utf8')
    .trim()
    .replace(/[\r\n]+/g, ' ');
  result.close();
  process.stdout.write(`${isLineOpen ? '\n' : ''}${text}\n`);
};

/** Resolves to the exit code of the query program. @throws DroverError SPAWN_FAILED, RUNTIME_CONFIG */
export const runQuery = async (config: RuntimeConfig, serverOnly: boolean): Promise<number> => {
  const { runtime, codePath, entrypoint, queryEntrypoint } = config;
  // An ephemeral query container has the query program as its entrypoint.
  const file = serverOnly ? queryEntrypoint : entrypoint;
  if (file === undefined) throw new DroverError('RUNTIME_CONFIG', 'there is no query entrypoint');
  let isLineOpen = false;
  if (!serverOnly) dropResult();
  placeLargeConfig(config);
  if (serverOnly) placeHome();
  const group = startGroup({
    command: programFor(runtime, file, codePath),
    cwd: codePath,
    env: { ...botEnvironment(config), ...(serverOnly ? {} : { ...HOME_OF_QUERIES, ...queryEnvironment(config) }) },
    onOutput: (chunk) => (isLineOpen = chunk.at(-1) !== NEWLINE),
  });
  const { code, signal } = await group.ended;
  if (!serverOnly) printResult(isLineOpen);
  return code ?? 128 + (signal === undefined ? constants.signals.SIGKILL : constants.signals[signal]);
};
