/** The logger port over pino, on standard error: JSON lines, or readable ones on a terminal. */
import { pino, type Logger as Pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { printable } from '../../domain/printable.ts';
import type { Logger } from '../../ports/logger.ts';
import { createStderr } from './to-stderr.ts';

/** Words whose values never reach a log, wherever they stand. */
const SECRET = /(pass(word)?|secret|token|api_?key|private_?key|credential|authorization)/i;

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(value instanceof Error);

/** What a bot or a sender wrote must not drive the terminal that the log is read on. */
const masked = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  if (!isPlain(value) || depth > 6) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, SECRET.test(key) ? '***' : masked(member, depth + 1)]),
  );
};

/** Errors as data, without a stack: a stack is for the debug level. */
const readable = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  masked(
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : value]),
    ),
  ) as Record<string, unknown>;

export const createPinoLogger = (options: { readonly level: string; readonly pretty: boolean }): Logger => {
  const settings = { level: options.level.toLowerCase(), base: null, messageKey: 'msg' };
  const stderr = createStderr();
  const prettify = prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' });
  const pretty = {
    write(line: string): void {
      stderr.write(prettify(line));
    },
  };
  const destination = options.pretty ? pretty : stderr;
  const log: Pino = pino(settings, destination);
  return {
    debug: (message, fields = {}) => {
      log.debug(readable(fields), message);
    },
    info: (message, fields = {}) => {
      log.info(readable(fields), message);
    },
    warn: (message, fields = {}) => {
      log.warn(readable(fields), message);
    },
    error: (message, fields = {}) => {
      log.error(readable(fields), message);
    },
  };
};
