/** What `runtime execute` is told by its container: the only reader of the environment in here. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
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

/** What the transfer process is told by its parent. */
export interface TransferConfig {
  readonly botId: string;
  readonly incarnation: string;
  readonly attempt: number;
  readonly statePath: string;
  readonly the0Path: string;
  readonly logsPath: string;
  /** Contract §4, in bytes: all files together, and one file. */
  readonly limits: { readonly totalBytes: number; readonly fileBytes: number };
  /** Snapshots kept. */
  readonly keep: number;
}

const numberOf = (text: string | undefined, otherwise: number): number => {
  const value = Number(text);
  return text === undefined || text === '' || !Number.isFinite(value) || value < 0 ? otherwise : value;
};

const MIB = 1024 ** 2;

/** @throws DroverError RUNTIME_CONFIG without BOT_ID */
export const readTransferConfig = (env: NodeJS.ProcessEnv = process.env): TransferConfig => ({
  botId: need(env, 'BOT_ID'),
  incarnation: env[DELIVERY_ENV.incarnation] ?? '',
  attempt: readAttempt(env),
  statePath: env['STATE_PATH'] ?? '/state',
  the0Path: dirname(DELIVERY.syncReport),
  logsPath: env['LOGS_PATH'] ?? dirname(DELIVERY.logFile),
  limits: {
    totalBytes: numberOf(env[DELIVERY_ENV.maxStateMb], 8192) * MIB,
    fileBytes: numberOf(env[DELIVERY_ENV.maxStateFileMb], 10) * MIB,
  },
  keep: numberOf(env[DELIVERY_ENV.keepSnapshots], 10),
});

/** What `daemon` is told by the container; flags of contract §0 win where they are given. */
export interface DaemonConfig {
  readonly botId: string;
  /** BOT_NATS_URL: publish-only, for live chunks of the log. */
  readonly liveUrl: string | undefined;
  readonly attempt: number;
  readonly codePath: string;
  readonly codeFile: string;
  readonly statePath: string;
  readonly logsPath: string;
  readonly syncMs: number;
  /** For the transfer process. */
  readonly env: NodeJS.ProcessEnv;
}

export interface DaemonFlags {
  readonly 'bot-id'?: string | undefined;
  readonly 'code-path'?: string | undefined;
  readonly 'code-file'?: string | undefined;
  readonly 'state-path'?: string | undefined;
  readonly 'logs-path'?: string | undefined;
}

/** @throws DroverError RUNTIME_CONFIG without a bot id */
export const readDaemonConfig = (flags: DaemonFlags, env: NodeJS.ProcessEnv = process.env): DaemonConfig => {
  const botId = flags['bot-id'] ?? need(env, 'BOT_ID');
  const statePath = flags['state-path'] ?? env['STATE_PATH'] ?? '/state';
  const logsPath = flags['logs-path'] ?? env['LOGS_PATH'] ?? dirname(DELIVERY.logFile);
  return {
    botId,
    liveUrl: env['BOT_NATS_URL'],
    attempt: readAttempt(env),
    codePath: flags['code-path'] ?? env['CODE_PATH'] ?? '/bot',
    codeFile: flags['code-file'] ?? env['CODE_FILE'] ?? '',
    statePath,
    logsPath,
    syncMs: numberOf(env[DELIVERY_ENV.syncMs], 60_000),
    env: { ...env, BOT_ID: botId, STATE_PATH: statePath, LOGS_PATH: logsPath },
  };
};
