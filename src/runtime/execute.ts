/**
 * `runtime execute`, first form: read what we are told, unpack the code, run the bot, report, and exit with its code.
 * State, sync and query server follow with the rest of the runtime.
 */
import { chmod, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { DELIVERY } from '../domain/delivery.ts';
import { DroverError, toDroverError } from '../domain/errors.ts';
import type { ExitReport } from '../domain/observation.ts';
import { botEnvironment } from './bot-environment.ts';
import { openBotLog } from './logs/bot-log.ts';
import { commandFor, isCompiled, requireCommand } from './command-for.ts';
import { readAttempt, readRuntimeConfig, type RuntimeConfig } from './config.ts';
import { readOomKills } from './oom-counter.ts';
import { supervise, type BotEnd } from './supervise.ts';
import { dropExitReport, writeExitReport } from './write-exit-report.ts';

const FAILED = 1;

const tell = (level: 'INFO' | 'ERROR', message: string, fields: Record<string, unknown> = {}): void => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, msg: message, ...fields })}\n`);
};

const prepareCode = async (config: RuntimeConfig): Promise<void> => {
  const { codeFile, codePath, entrypoint, queryEntrypoint, runtime } = config;
  if (codeFile !== '') {
    // Loaded late: a bot whose code is in the image needs no unzipper in its memory.
    const { unpackCode } = await import('./unpack-code.ts');
    await unpackCode(DELIVERY.codeArchive, codePath);
  }
  const file = join(codePath, entrypoint.split(':')[0] ?? '');
  const isThere = await stat(file).then(
    (info) => info.isFile(),
    () => false,
  );
  // A project of .NET may be named by its folder; everything else is a file.
  if (!isThere && runtime !== 'dotnet8') {
    throw new DroverError('ENTRYPOINT_MISSING', `${entrypoint} is not in the code archive`);
  }
  if (!isCompiled(runtime)) return;
  await chmod(file, 0o755);
  if (queryEntrypoint !== undefined) await chmod(join(codePath, queryEntrypoint), 0o755).catch(() => undefined);
};

/** What the container exits with: the bot's code, or 128 + n for a signal. */
const exitCodeOf = ({ code, signal }: BotEnd): number =>
  code ?? 128 + (signal === undefined ? constants.signals.SIGKILL : constants.signals[signal]);

/** Runs the bot of this container to its end. Never rejects; resolves with the exit code. */
export const execute = async (): Promise<number> => {
  const attempt = readAttempt();
  const log = openBotLog();
  dropExitReport();
  let phase: ExitReport['phase'] = 'config';
  let received: NodeJS.Signals | undefined;
  const early = (signal: NodeJS.Signals): void => {
    // Asked to end before the bot runs: there is nothing to wait for.
    received = signal;
    writeExitReport({ attempt, phase, received: signal });
    process.exit(128 + constants.signals[signal]);
  };
  process.on('SIGTERM', early);
  process.on('SIGINT', early);
  try {
    const config = readRuntimeConfig();
    phase = 'code';
    const command = commandFor(config.runtime, config.entrypoint, config.codePath);
    requireCommand(command, config.runtime, config.env['PATH'] ?? '');
    await prepareCode(config);
    phase = 'bot';
    const before = readOomKills();
    tell('INFO', 'bot starts', { bot: config.botId, runtime: config.runtime, attempt });
    const ending = supervise({
      command,
      cwd: config.codePath,
      env: botEnvironment(config),
      graceMs: config.botGraceMs,
      onOutput: (chunk) => {
        log.append(chunk);
      },
    });
    process.off('SIGTERM', early);
    process.off('SIGINT', early);
    const end = await ending;
    const after = readOomKills();
    const oomKills = before === undefined || after === undefined ? {} : { oomKills: { before, after } };
    writeExitReport({ attempt, phase, ...end, ...oomKills });
    const code = exitCodeOf(end);
    tell('INFO', 'bot ended', { bot: config.botId, code, ...end });
    return code;
  } catch (thrown) {
    const error = toDroverError(thrown);
    const line = `drover: ${error.message} [${error.code}] → ${error.remedy}\n`;
    process.stderr.write(line);
    log.append(line);
    writeExitReport({
      attempt,
      phase,
      ...(received === undefined ? {} : { received }),
      error: { code: error.code, detail: error.message },
    });
    return FAILED;
  }
};
