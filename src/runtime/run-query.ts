/** An ephemeral query, or the query server alone: the bot's query program in the foreground (contract §8.2). */
import { constants } from 'node:os';
import { DroverError } from '../domain/errors.ts';
import { botEnvironment } from './bot-environment.ts';
import { programFor } from './command-for.ts';
import type { RuntimeConfig } from './config.ts';
import { startGroup } from './process-group.ts';

/** One variable a top-level parameter, as the reference sets them. */
const parameters = (params: string): Record<string, string> => {
  const parsed: unknown = JSON.parse(params);
  if (typeof parsed !== 'object' || parsed === null) return {};
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [
      `QUERY_PARAM_${name}`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
};

const queryEnvironment = ({ query }: RuntimeConfig): Record<string, string> =>
  query === undefined ? {} : { QUERY_PATH: query.path, QUERY_PARAMS: query.params, ...parameters(query.params) };

/** Resolves to the exit code of the query program. @throws DroverError SPAWN_FAILED, RUNTIME_CONFIG */
export const runQuery = async (config: RuntimeConfig, serverOnly: boolean): Promise<number> => {
  const { runtime, codePath, entrypoint, queryEntrypoint } = config;
  // An ephemeral query container has the query program as its entrypoint.
  const file = serverOnly ? queryEntrypoint : entrypoint;
  if (file === undefined) throw new DroverError('RUNTIME_CONFIG', 'there is no query entrypoint');
  const group = startGroup({
    command: programFor(runtime, file, codePath),
    cwd: codePath,
    env: { ...botEnvironment(config), ...(serverOnly ? {} : queryEnvironment(config)) },
    onOutput: () => undefined,
  });
  const { code, signal } = await group.ended;
  return code ?? 128 + (signal === undefined ? constants.signals.SIGKILL : constants.signals[signal]);
};
