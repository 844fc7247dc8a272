/** What `runtime execute` is told by its container: the only reader of the environment in here. */
import { readFileSync } from 'node:fs';
import { RUNTIMES, type Runtime } from '../domain/bot.ts';
import { DELIVERY, DELIVERY_ENV } from '../domain/delivery.ts';
import { DroverError } from '../domain/errors.ts';

export interface RuntimeConfig {
  readonly botId: string;
  readonly runtime: Runtime;
  readonly entrypoint: string;
  readonly queryEntrypoint: string | undefined;
  /** Empty: there is nothing to unpack, the code is in the image. */
  readonly codeFile: string;
  readonly botType: string;
  /** The bot's configuration as JSON text. */
  readonly botConfig: string;
  readonly stateDir: string;
  readonly codePath: string;
  readonly attempt: number;
  readonly botGraceMs: number;
  /** The container's own environment, for the bot's. */
  readonly env: Readonly<Record<string, string>>;
}

const need = (env: NodeJS.ProcessEnv, name: string): string => {
  const value = env[name];
  if (value === undefined || value === '') throw new DroverError('RUNTIME_CONFIG', `${name} is not set`);
  return value;
};

const readBotConfig = (env: NodeJS.ProcessEnv): string => {
  let text = env['BOT_CONFIG'];
  if (text === undefined || text === '') {
    try {
      text = readFileSync(DELIVERY.configFile, 'utf8');
    } catch (error) {
      // Never without it: a bot that trades on defaults of its own is worse than one that does not start.
      throw new DroverError('RUNTIME_CONFIG', `there is no configuration at ${DELIVERY.configFile}`, { cause: error });
    }
  }
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw new DroverError('RUNTIME_CONFIG', 'the configuration of the bot is not JSON');
  }
};

const isRuntime = (name: string): name is Runtime => (RUNTIMES as readonly string[]).includes(name);

/** The number of this start; known before anything can fail, so that every report carries it. */
export const readAttempt = (env: NodeJS.ProcessEnv = process.env): number => Number(env[DELIVERY_ENV.attempt] ?? 0);

/** @throws DroverError RUNTIME_CONFIG for what is missing, RUNTIME_UNSUPPORTED for a runtime that nobody knows */
export const readRuntimeConfig = (env: NodeJS.ProcessEnv = process.env): RuntimeConfig => {
  const runtime = need(env, 'RUNTIME');
  if (!isRuntime(runtime)) throw new DroverError('RUNTIME_UNSUPPORTED', `runtime ${runtime} is not known`);
  const grace = Number(env[DELIVERY_ENV.botGraceMs] ?? 25_000);
  return {
    botId: need(env, 'BOT_ID'),
    runtime,
    entrypoint: need(env, 'ENTRYPOINT'),
    queryEntrypoint: env['QUERY_ENTRYPOINT'],
    codeFile: env['CODE_FILE'] ?? '',
    botType: env['BOT_TYPE'] ?? 'realtime',
    botConfig: readBotConfig(env),
    stateDir: env['STATE_DIR'] ?? '/state/.the0-state',
    codePath: env['CODE_PATH'] ?? '/bot',
    attempt: readAttempt(env),
    botGraceMs: Number.isFinite(grace) && grace >= 0 ? grace : 25_000,
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
  };
};
