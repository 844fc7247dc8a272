/** The logger port over pino, on standard error: JSON lines, or readable ones on a terminal. */
import { pino, type Logger as Pino } from 'pino';
import pretty from 'pino-pretty';
import type { Logger } from '../../ports/logger.ts';

/** Words whose values never reach a log, wherever they stand. */
const SECRET = /(pass(word)?|secret|token|api_?key|private_?key|credential|authorization)/i;

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(value instanceof Error);

const masked = (value: unknown, depth = 0): unknown => {
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

/** Standard output belongs to the transition log alone. */
const STDERR = 2;

export const createPinoLogger = (options: { readonly level: string; readonly pretty: boolean }): Logger => {
  const settings = { level: options.level.toLowerCase(), base: null, messageKey: 'msg' };
  const log: Pino = options.pretty
    ? pino(
        settings,
        pretty({ destination: STDERR, colorize: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' }),
      )
    : pino(settings, pino.destination({ dest: STDERR, sync: true }));
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
