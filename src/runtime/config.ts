/** What `runtime execute` is told by its container: the only reader of the environment in here. */
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { dirname } from 'node:path';
import { RUNTIMES, type Runtime } from '../domain/bot.ts';
import { DELIVERY, DELIVERY_ENV } from '../domain/delivery.ts';
import { DroverError } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import { jsonText } from '../domain/json-text.ts';

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
  /** SHA-256 that the controller pinned; undefined: whatever lies there. */
  readonly codeDigest: string | undefined;
  /** Entrypoint of the stop hook. */
  readonly stopEntrypoint: string | undefined;
  readonly stopHookMs: number;
  readonly botGraceMs: number;
  readonly syncMs: number;
  /** Ephemeral query: its path and parameters (contract §8.2). */
  readonly query: { readonly path: string; readonly params: string } | undefined;
  /** The container's own environment, for the bot's. */
  readonly env: Readonly<Record<string, string>>;
}

const need = (env: NodeJS.ProcessEnv, name: string): string => {
  const value = env[name];
  if (value === undefined || value === '') throw new DroverError('RUNTIME_CONFIG', `${name} is not set`);
  return value;
};

/** A restart by hand finds no configuration: it was read once and removed. The controller sees the restart and brings it. */
const DELIVERED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

const readOnce = (): string | undefined => {
  try {
    const text = readFileSync(DELIVERY.configFile, 'utf8');
    rmSync(DELIVERY.configFile, { force: true });
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DroverError('RUNTIME_CONFIG', `${DELIVERY.configFile} cannot be read`, { cause: error });
  }
};

/** A later delivery that nobody waits for must not lie there for ever: it holds secrets. Never throws. */
export const dropConfigFile = (): void => {
  try {
    rmSync(DELIVERY.configFile, { force: true });
  } catch {
    // The next look finds it again.
  }
};

/** @throws DroverError RUNTIME_CONFIG: a bot that trades on defaults of its own is worse than one that does not start */
const readBotConfig = async (env: NodeJS.ProcessEnv): Promise<string> => {
  let text = env['BOT_CONFIG'] === '' ? undefined : env['BOT_CONFIG'];
  for (let waited = 0; text === undefined; waited += LOOK_EVERY_MS) {
    text = readOnce();
    if (text !== undefined) break;
    if (waited >= DELIVERED_WITHIN_MS) {
      throw new DroverError('RUNTIME_CONFIG', `there is no configuration at ${DELIVERY.configFile}`);
    }
    await sleep(LOOK_EVERY_MS);
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

const numberOf = (text: string | undefined, otherwise: number): number => {
  const value = Number(text);
  return text === undefined || text === '' || !Number.isFinite(value) || value < 0 ? otherwise : value;
};

const given = (env: NodeJS.ProcessEnv, name: string): string | undefined => (env[name] === '' ? undefined : env[name]);

/** @throws DroverError RUNTIME_CONFIG for what is missing, RUNTIME_UNSUPPORTED for a runtime that nobody knows */
export const readRuntimeConfig = async (
  queryPath: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RuntimeConfig> => {
  const runtime = need(env, 'RUNTIME');
  if (!isRuntime(runtime)) throw new DroverError('RUNTIME_UNSUPPORTED', `runtime ${runtime} is not known`);
  const path = queryPath ?? given(env, 'QUERY_PATH');
  return {
    botId: need(env, 'BOT_ID'),
    runtime,
    entrypoint: need(env, 'ENTRYPOINT'),
    queryEntrypoint: given(env, 'QUERY_ENTRYPOINT'),
    codeFile: env['CODE_FILE'] ?? '',
    botType: env['BOT_TYPE'] ?? 'realtime',
    botConfig: await readBotConfig(env),
    stateDir: env['STATE_DIR'] ?? '/state/.the0-state',
    codePath: env['CODE_PATH'] ?? '/bot',
    attempt: readAttempt(env),
    codeDigest: given(env, DELIVERY_ENV.codeDigest),
    stopEntrypoint: given(env, DELIVERY_ENV.stopEntrypoint),
    stopHookMs: numberOf(env[DELIVERY_ENV.stopHookMs], 10_000),
    botGraceMs: numberOf(env[DELIVERY_ENV.botGraceMs], 10_000),
    syncMs: numberOf(env[DELIVERY_ENV.syncMs], 60_000),
    query: path === undefined ? undefined : { path, params: given(env, 'QUERY_PARAMS') ?? '{}' },
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) =>
        // In `botConfig`: no program of ours needs it, and one that is too long for a variable would let none start.
        value === undefined || name === 'BOT_CONFIG' || name === 'CONFIG' ? [] : [[name, value]],
      ),
    ),
  };
};

/** As {@link readRuntimeConfig}, for a container whose bot's configuration comes another way. */
export const readQueryConfig = (botConfig: JsonObject, env: NodeJS.ProcessEnv = process.env): Promise<RuntimeConfig> =>
  readRuntimeConfig(undefined, { ...env, BOT_CONFIG: jsonText(botConfig) });

/** What the transfer process is told by its parent. */
export interface TransferConfig {
  readonly botId: string;
  readonly incarnation: number;
  readonly attempt: number;
  readonly statePath: string;
  readonly the0Path: string;
  readonly logsPath: string;
  /** Contract §4, in bytes: all files together, and one file. */
  readonly limits: { readonly totalBytes: number; readonly fileBytes: number };
  /** Snapshots kept. */
  readonly keep: number;
  /** Key of a run that only sees the state: another one writes it. */
  readonly readsOnly: string | undefined;
}

const MIB = 1024 ** 2;

/** @throws DroverError RUNTIME_CONFIG without BOT_ID */
export const readTransferConfig = (env: NodeJS.ProcessEnv = process.env): TransferConfig => ({
  botId: need(env, 'BOT_ID'),
  incarnation: numberOf(env[DELIVERY_ENV.incarnation], 1),
  attempt: readAttempt(env),
  statePath: env['STATE_PATH'] ?? '/state',
  the0Path: dirname(DELIVERY.syncReport),
  logsPath: env['LOGS_PATH'] ?? dirname(DELIVERY.logFile),
  limits: {
    totalBytes: numberOf(env[DELIVERY_ENV.maxStateMb], 8192) * MIB,
    fileBytes: numberOf(env[DELIVERY_ENV.maxStateFileMb], 10) * MIB,
  },
  keep: numberOf(env[DELIVERY_ENV.keepSnapshots], 10),
  readsOnly: given(env, DELIVERY_ENV.stateReadOnly),
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
    liveUrl: given(env, 'BOT_NATS_URL'),
    attempt: readAttempt(env),
    codePath: flags['code-path'] ?? env['CODE_PATH'] ?? '/bot',
    codeFile: flags['code-file'] ?? env['CODE_FILE'] ?? '',
    statePath,
    logsPath,
    syncMs: numberOf(env[DELIVERY_ENV.syncMs], 60_000),
    env: { ...env, BOT_ID: botId, STATE_PATH: statePath, LOGS_PATH: logsPath },
  };
};
