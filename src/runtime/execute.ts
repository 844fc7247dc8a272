/**
 * `runtime execute`: the whole life of a bot's container. What we are told → the code, checked → the state, restored →
 * `daemon sync` → the query server → the bot → the last sync → the exit report → the bot's exit code (contract §6).
 */
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { DELIVERY } from '../domain/delivery.ts';
import { toDroverError } from '../domain/errors.ts';
import type { ExitReport } from '../domain/observation.ts';
import { openBotLog } from './logs/bot-log.ts';
import { lineOf, writeCodeReport } from './code/code-report.ts';
import type { Skipped } from './entry-rules.ts';
import { commandFor, requireCommand } from './command-for.ts';
import { dropConfigFile, readAttempt, readRuntimeConfig, type RuntimeConfig } from './config.ts';
import { readOomKills } from './oom-counter.ts';
import { lineSink, type LineSink } from './output-lines.ts';
import { CONTAINER, printLine } from './pass-on.ts';
import { prepareCode } from './prepare-code.ts';
import { placeStateIfAbsent } from './place-state.ts';
import { restoreState } from './restore.ts';
import { dropDone, lastSync, runBot, type BotRun } from './run-bot.ts';
import { hearStopRequests, type StopRequest } from './stop-request.ts';
import { startSyncDaemon, type SyncDaemon } from './sync-daemon.ts';
import { dropExitReport, writeExitReport, writeLastReport } from './write-exit-report.ts';

export interface ExecuteFlags {
  readonly query?: string | undefined;
  readonly queryServerOnly: boolean;
  readonly skipSync: boolean;
  readonly skipQueryServer: boolean;
}

const FAILED = 1;
const DROP_CONFIG_MS = 10_000;
const LAST_WORDS_MS = 10_000;
const TOLD_ENTRIES = 20;
const THE0_PATH = dirname(DELIVERY.exitReport);

const tell = (level: 'INFO' | 'ERROR', message: string, fields: Record<string, unknown> = {}): void => {
  printLine(CONTAINER.stdout, JSON.stringify({ time: new Date().toISOString(), level, msg: message, ...fields }));
};

/** What the container exits with: the bot's code, or 128 + n for a signal. */
const exitCodeOf = ({ code, signal }: BotRun): number =>
  code ?? 128 + (signal === undefined ? constants.signals.SIGKILL : constants.signals[signal]);

/** A stop before the bot runs: nothing is to be stored, the next start goes on from what lies there. */
const endEarly = (stop: StopRequest, attempt: number, phase: () => ExitReport['phase']): (() => void) => {
  let over = false;
  void stop.asked.then((signal) => {
    if (over) return;
    writeExitReport({ attempt, phase: phase(), received: signal });
    process.exit(128 + constants.signals[signal]);
  });
  return () => (over = true);
};

/** Lines of ours in the bot's log, which its own output does not mix with. */
const OURS = {};

const openDaemon = (config: RuntimeConfig, log: LineSink): SyncDaemon =>
  startSyncDaemon({
    args: ['daemon', 'sync', ...(config.botType === 'realtime' ? [] : ['--watch-done'])],
    env: config.env,
    onOutput: (chunk) => {
      log.put(OURS, chunk);
    },
  });

/** A query only looks at the state: nothing is stored or chosen for it (contract §7). */
const bringState = async ({ env, query }: RuntimeConfig, skipSync: boolean): Promise<void> => {
  if (skipSync) return;
  if (query === undefined) await restoreState(env);
  else await placeStateIfAbsent(env);
};

/** Code and state side by side: neither needs the other. */
const prepare = async (
  config: RuntimeConfig,
  skipSync: boolean,
  on: (phase: ExitReport['phase']) => void,
): Promise<readonly Skipped[]> => {
  const restored = bringState(config, skipSync);
  restored.catch(() => undefined);
  on('code');
  requireCommand(
    commandFor(config.runtime, config.entrypoint, config.codePath),
    config.runtime,
    config.env['PATH'] ?? '',
  );
  const skipped = await prepareCode(config);
  on('state');
  await restored;
  return skipped;
};

/** Runs the bot of this container to its end. Never rejects; resolves with the exit code. */
export const execute = async (flags: ExecuteFlags): Promise<number> => {
  const attempt = readAttempt();
  const file = openBotLog();
  const log = lineSink((bytes) => {
    file.append(bytes);
    return true;
  });
  const say = (line: string): void => {
    printLine(CONTAINER.stderr, `drover: ${line}`);
    log.put(OURS, Buffer.from(`drover: ${line}\n`));
  };
  const stop = hearStopRequests();
  let phase: ExitReport['phase'] = 'config';
  dropExitReport();
  dropDone();
  const botRuns = endEarly(stop, attempt, () => phase);
  let daemon: SyncDaemon | undefined;
  try {
    const config = await readRuntimeConfig(flags.query);
    setInterval(dropConfigFile, DROP_CONFIG_MS).unref();
    const skipped = await prepare(config, flags.skipSync, (next) => (phase = next));
    if (config.query !== undefined || flags.queryServerOnly) {
      const { runQuery } = await import('./run-query.ts');
      return await runQuery(config, flags.queryServerOnly);
    }
    writeCodeReport(THE0_PATH, attempt, skipped);
    for (const entry of skipped.slice(0, TOLD_ENTRIES))
      log.put(OURS, Buffer.from(`drover: not unpacked: ${lineOf(entry)}\n`));
    daemon = flags.skipSync ? undefined : openDaemon(config, log);
    phase = 'bot';
    botRuns();
    const before = readOomKills();
    tell('INFO', 'bot starts', { bot: config.botId, runtime: config.runtime, attempt });
    const end = await runBot({
      config,
      stop,
      daemon,
      withQueryServer: !flags.skipQueryServer,
      onOutput: (chunk, source) => {
        log.put(source, chunk);
      },
      tell: say,
    });
    const after = readOomKills();
    const oomKills = before === undefined || after === undefined ? {} : { oomKills: { before, after } };
    const report: ExitReport = { attempt, phase, ...end, ...oomKills };
    // Whatever happens to the last sync: how the bot ended is known.
    writeExitReport(report);
    const final = await lastSync(daemon, config.syncMs);
    writeLastReport(final === undefined ? report : { ...report, final });
    const code = exitCodeOf(end);
    tell('INFO', 'bot ended', { bot: config.botId, code, ...end, ...final });
    return code;
  } catch (thrown) {
    const error = toDroverError(thrown);
    say(`${error.message} [${error.code}] → ${error.remedy}`);
    // A daemon is there when the bot itself could not be started: what it said is still to be stored.
    const final = await lastSync(daemon, LAST_WORDS_MS).catch(() => undefined);
    writeLastReport({
      attempt,
      phase,
      error: { code: error.code, detail: error.message },
      ...(final === undefined ? {} : { final }),
    });
    return FAILED;
  }
};
