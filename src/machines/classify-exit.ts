/**
 * Why a container ended (feature C5). Taken here, outside the statechart, from what the engine and the exit report
 * say together; neither an exit code of 137 nor Docker's sticky OOM flag is ever believed alone.
 */
import type { ExitClass } from '../domain/bot-event.ts';
import { ERRORS, isErrorCode, type ErrorCode } from '../domain/errors.ts';
import type { ExitReport, ObservedExit } from '../domain/observation.ts';

export interface ClassifiedExit {
  readonly class: ExitClass;
  /** Trying again cannot help. */
  readonly terminal: boolean;
  readonly code?: ErrorCode;
  readonly detail?: string;
}

/** Signals that somebody sends to end a process; others mean that the program itself went wrong. */
const ENDING_SIGNALS: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);
const ENDING_CODES: ReadonlySet<number> = new Set([129, 130, 131, 137, 143]);

const as = (exitClass: ExitClass, detail?: string): ClassifiedExit => ({
  class: exitClass,
  terminal: false,
  ...(detail === undefined ? {} : { detail }),
});

const limitOf = ({ memoryLimit }: ObservedExit): string =>
  memoryLimit === undefined ? '' : `: \`drover.memoryMb\` allows it ${String(Math.floor(memoryLimit / 1024 ** 2))} MiB`;

const failedStart = (code: ErrorCode, detail: string): ClassifiedExit => ({
  class: 'startError',
  terminal: ERRORS[code].class === 'terminal',
  code,
  detail,
});

const byReport = (exit: ObservedExit, report: ExitReport): ClassifiedExit => {
  const oomKills = report.oomKills === undefined ? 0 : report.oomKills.after - report.oomKills.before;
  if (report.phase !== 'bot' && report.phase !== 'sync') {
    // Stopped from outside before the bot ran is no defect of its start.
    if (report.error === undefined && report.received !== undefined) return as('killedByOthers', report.received);
    const code = report.error !== undefined && isErrorCode(report.error.code) ? report.error.code : 'INTERNAL';
    return failedStart(code, report.error?.detail ?? `the container ended in phase ${report.phase}`);
  }
  if (report.error !== undefined) return failedStart(report.error.code, report.error.detail);
  if (report.received !== undefined) return as('killedByOthers', report.received);
  if (report.signal === 'SIGKILL' && oomKills > 0)
    return as('oom', `the bot process was killed because memory ran out${limitOf(exit)}`);
  if (report.signal !== undefined) {
    return as(ENDING_SIGNALS.has(report.signal) ? 'killedByOthers' : 'appError', report.signal);
  }
  return (report.code ?? exit.code) === 0 ? as('completed') : as('appError', report.message);
};

const byEngine = (exit: ObservedExit): ClassifiedExit => {
  if (exit.code === 137 && exit.oomKilled)
    return as('oom', `the container was killed because memory ran out${limitOf(exit)}`);
  if (ENDING_CODES.has(exit.code)) return as('killedByOthers', `exit code ${String(exit.code)} without a report`);
  if (exit.code >= 125 && exit.code <= 127) {
    return failedStart('ENGINE_REFUSED', exit.error ?? `exit code ${String(exit.code)}: the command cannot be run`);
  }
  if (exit.error !== undefined && exit.error !== '') return { ...failedStart('ENGINE_ERROR', exit.error) };
  return as(exit.code === 0 ? 'completed' : 'appError');
};

/**
 * The report lies where the bot can write too. One that does not say what the engine saw was not written by PID 1 at its
 * end, so it is none (fault R50).
 */
const isBelievable = ({ code }: ObservedExit, report: ExitReport): boolean => {
  if (report.error !== undefined) return code !== 0;
  if (report.code !== undefined) return report.code === code;
  return report.signal === undefined ? code !== 0 : code > 128;
};

/** PID 1 says how its bot ended, and nobody had asked it to stop: that is no end of the engine's making. */
const endedByItself = (report: ExitReport | undefined): boolean =>
  report !== undefined && report.received === undefined && (report.code !== undefined || report.error !== undefined);

/** `ours`: we had asked this container to stop. */
export const classifyExit = (exit: ObservedExit, ours: boolean): ClassifiedExit => {
  if (ours) return as('stoppedByUs');
  const { report } = exit;
  const own = report !== undefined && isBelievable(exit, report) ? report : undefined;
  if (exit.inEngineGap && !endedByItself(own)) {
    return as('engineLost', 'the engine was not running, or it was stopping, when the container ended');
  }
  return own === undefined ? byEngine(exit) : byReport(exit, own);
};
