/** The flags of `daemon init` and `daemon sync` (contract §0). */
import { parseArgs } from 'node:util';
import { DroverError } from '../../domain/errors.ts';

const text = { type: 'string' } as const;
const yes = { type: 'boolean', default: false } as const;
const OPTIONS = {
  'bot-id': text,
  'code-path': text,
  'state-path': text,
  'logs-path': text,
  'code-file': text,
  interval: text,
  'readiness-port': text,
  'watch-done': yes,
  final: yes,
} as const;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SWEEP_MS = 60_000;

/** `60s`, `1m30s`, `500ms` as milliseconds. @throws DroverError CONFIG_INVALID */
export const durationMs = (value: string): number => {
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
  if (parts.map(([part]) => part).join('') !== value || ms <= 0) {
    throw new DroverError('CONFIG_INVALID', `${value} is not a time such as 60s`);
  }
  return ms;
};

const portOf = (value: string): number => {
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new DroverError('CONFIG_INVALID', `${value} is not a port`);
};

/** @throws DroverError CONFIG_INVALID for what is not a flag, or not a value for it */
export const parseDaemonFlags = (args: readonly string[]) => {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: OPTIONS, strict: true }));
  } catch (error) {
    throw new DroverError('CONFIG_INVALID', error instanceof Error ? error.message : String(error), { cause: error });
  }
  const { interval, 'readiness-port': port } = values;
  return {
    ...values,
    intervalMs: interval === undefined ? SWEEP_MS : durationMs(interval),
    readinessPort: port === undefined ? undefined : portOf(port),
  };
};
