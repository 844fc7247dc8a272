/** `drover gc`: a service of its own, like `up`; it reads the stores, not the API. */
import Table from 'cli-table3';
import { InvalidArgumentError, type Command } from 'commander';
import { parseDuration } from '../setting-kinds.ts';
import type { Io } from './io.ts';
import { configOf, withSettings, type Options } from './settings.ts';

/** The controllers' report as far as a table needs it. */
export interface ShownReport {
  readonly dryRun: boolean;
  readonly objects: number;
  readonly ids: number;
  readonly wished: number;
  readonly items: readonly {
    readonly kind: string;
    readonly name: string;
    readonly fate: string;
    readonly objects: number;
    readonly bytes: number;
    readonly until?: number;
    readonly why?: string;
  }[];
}

/** Names come from keys that anybody may have written: nothing in one may move a cursor or hide in a table. */
export const shownName = (name: string): string =>
  /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(name) && !name.startsWith('"')
    ? name
    : JSON.stringify(name).replace(/[\p{C}\p{Z}]/gu, escaped);

const escaped = (char: string): string => (char === ' ' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);

const WORDS: Readonly<Record<string, string>> = {
  wouldRemove: 'would be removed',
  waits: 'waits',
  cameBack: 'in use again, not removed',
  left: 'not reached',
};

/** One line an item, then what was looked at. */
export const garbageTable = (report: ShownReport): string => {
  const { items, dryRun, objects, ids, wished } = report;
  const looked = `examined ${String(objects)} objects of ${String(ids)} ids; the spec store has ${String(wished)} ids`;
  if (items.length === 0) return `${looked}; nothing to remove`;
  const table = new Table({
    head: ['what', 'name', 'objects', 'bytes', dryRun ? 'would become' : 'became', 'note'],
    style: { head: [], border: [] },
  });
  for (const { kind, name, fate, until, why, ...sum } of items) {
    const note = until === undefined ? (why ?? '') : `until ${new Date(until).toISOString()}`;
    table.push([kind, shownName(name), String(sum.objects), String(sum.bytes), WORDS[fate] ?? fate, note]);
  }
  return `${table.toString()}\n${looked}`;
};

const interval = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a duration such as 5m.');
  return ms;
};

interface GcFlags {
  readonly interval: number;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export const addGc = (program: Command, io: Io): void => {
  const command = program
    .command('gc')
    .description('remove the state and logs of deleted bots, and unfinished uploads, from the S3 server')
    .option('--interval <time>', 'time from the end of a sweep to the next one; 0 sweeps once', interval, 0)
    .option('--dry-run', 'print what would be removed, and remove nothing')
    .option('--force', 'remove more ids at once than the limit allows; for a single sweep only')
    .option('--json', 'one JSON document for each sweep');
  withSettings(command).action(async (options: Options & GcFlags) => {
    const { interval: intervalMs, dryRun = false, force = false, json = false } = options;
    if (force && intervalMs > 0)
      command.error('error: --force is for a single sweep and cannot be used with --interval');
    const config = configOf(options, io);
    const { gc } = await import('../gc.ts');
    await gc(config, {
      intervalMs,
      dryRun,
      force,
      onReport: (report) => {
        if (json) io.out(JSON.stringify(report, null, intervalMs > 0 ? undefined : 2));
        else if (intervalMs === 0) io.out(garbageTable(report));
      },
      say: (text) => {
        io.out(json ? JSON.stringify({ items: [], problems: [], note: text }) : text);
      },
    });
  });
};
