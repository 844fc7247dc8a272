/** The bot from its first to its last moment, with all that stands beside it. */
import { rmSync, writeFileSync } from 'node:fs';
import { DELIVERY, DELIVERY_ENV } from '../domain/delivery.ts';
import type { ExitReport } from '../domain/observation.ts';
import { outputTail, watchResult } from './bot-result.ts';
import { botEnvironment } from './bot-environment.ts';
import { commandFor, programFor } from './command-for.ts';
import type { RuntimeConfig } from './config.ts';
import { killStrangers } from './kill-strangers.ts';
import { placeHome } from './home.ts';
import { placeLargeConfig } from './large-config.ts';
import { startGroup, type GroupEnd, type ProcessGroup } from './process-group.ts';
import { startQueryServer } from './query-server.ts';
import { endBot, runHook, type HookEnd } from './stop-bot.ts';
import type { StopRequest } from './stop-request.ts';
import type { SyncDaemon } from './sync-daemon.ts';

export interface RunOptions {
  readonly config: RuntimeConfig;
  readonly stop: StopRequest;
  readonly daemon: SyncDaemon | undefined;
  readonly withQueryServer: boolean;
  readonly onOutput: (chunk: Buffer, source: object) => void;
  readonly tell: (line: string) => void;
}

export interface BotRun extends GroupEnd {
  /** What the bot itself says of its failure. */
  readonly message?: string;
  readonly received?: NodeJS.Signals;
  readonly hook?: HookEnd;
}

/** Scheduled bots say so by a file; its mere existence tells whoever watches that the run is over (contract §6). */
const writeDone = (code: number): void => {
  try {
    writeFileSync(DELIVERY.doneFile, String(code), { mode: 0o644 });
  } catch {
    // The daemon is told by a signal besides.
  }
};

export const dropDone = (): void => {
  rmSync(DELIVERY.doneFile, { force: true });
};

const starter =
  ({ config, onOutput }: RunOptions, env: Readonly<Record<string, string>>) =>
  (file: string): ProcessGroup => {
    placeLargeConfig(config);
    placeHome();
    return startGroup({
      command: programFor(config.runtime, file, config.codePath),
      cwd: config.codePath,
      env,
      onOutput,
    });
  };

/** What a stop does to the bot; resolves with what became of the hook once it was asked. */
const stopping = async (
  { config, stop }: RunOptions,
  bot: ProcessGroup,
  start: (file: string) => ProcessGroup,
): Promise<HookEnd | undefined> => {
  const signal = await stop.asked;
  const { stopEntrypoint, stopHookMs, botGraceMs } = config;
  const hook =
    stopEntrypoint === undefined ? undefined : await runHook(() => start(stopEntrypoint), stopHookMs, stop.urgent);
  await endBot(bot, signal, botGraceMs, stop.urgent);
  return hook;
};

/** Runs the bot to its end, however it comes. @throws DroverError SPAWN_FAILED */
export const runBot = async (options: RunOptions): Promise<BotRun> => {
  const { config, stop, daemon, withQueryServer, onOutput, tell } = options;
  const env = botEnvironment(config);
  placeLargeConfig(config);
  placeHome();
  const start = starter(options, env);
  const { queryEntrypoint, botType } = config;
  const queries =
    withQueryServer && queryEntrypoint !== undefined && botType === 'realtime'
      ? startQueryServer(() => start(queryEntrypoint), tell)
      : undefined;
  const result = watchResult(config.codePath);
  const printed = outputTail();
  const bot = startGroup({
    command: commandFor(config.runtime, config.entrypoint, config.codePath),
    cwd: config.codePath,
    // For the Python wrapper, which takes it out.
    env: config.runtime === 'python3.11' ? { ...env, [DELIVERY_ENV.botGraceMs]: String(config.botGraceMs) } : env,
    onOutput: (chunk, source) => {
      printed.add(chunk);
      onOutput(chunk, source);
    },
  });
  let hook: HookEnd | undefined;
  void stopping(options, bot, start).then((end) => (hook = end));
  try {
    const end = await bot.ended;
    const received = stop.received();
    if (botType !== 'realtime') writeDone(end.code ?? 1);
    const message = end.code === undefined || end.code === 0 ? undefined : result();
    // The SDK's `error(…)` prints nothing; an exception was printed with where it came from.
    if (message !== undefined && !printed.includes(message)) tell(`the bot ended with an error: ${message}`);
    return {
      ...end,
      ...(message === undefined ? {} : { message }),
      ...(received === undefined ? {} : { received }),
      ...(hook === undefined ? {} : { hook }),
    };
  } finally {
    await queries?.stop();
    killStrangers([daemon?.pid()]);
  }
};

/** The last sync. `undefined`: there is none to be made. */
export const lastSync = async (
  daemon: SyncDaemon | undefined,
  ms: number,
): Promise<ExitReport['final'] | undefined> => {
  if (daemon === undefined) return undefined;
  const all = await daemon.finish(ms);
  // Which of both is missing stands in the daemon's own report.
  return { stateSynced: all, logsShipped: all };
};
