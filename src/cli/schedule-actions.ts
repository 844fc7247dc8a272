/** `drover trigger|backfill|pause|resume <id>`: what a person asks of a schedule. */
import type { Command } from 'commander';
import { DroverError } from '../domain/errors.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `2h` from now, or the instant that it is; undefined when it is not given. @throws DroverError REQUEST_INVALID */
export const untilOf = (text: string | undefined, now: number): string | undefined => {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(now + Number(count) * (UNITS[unit] ?? 0)).toISOString();
  if (text.includes('T')) return text;
  throw new DroverError(
    'REQUEST_INVALID',
    `--until ${text}: write 30m, 2h, 1d, or an instant such as 2026-01-31T09:00:00Z`,
  );
};

export const addScheduleActions = (program: Command, io: Io, client: () => ApiClient): void => {
  const ask = <T>(id: string, action: string, body: object): Promise<T> =>
    client().call<T>('POST', `/v1/schedules/${encodeURIComponent(id)}/${action}`, body);
  program
    .command('trigger')
    .description('run a scheduled bot now')
    .argument('<id>')
    .option('--reason <text>', 'the reason, for the transition log')
    .action(async (id: string, { reason = '' }: { reason?: string }) => {
      const { key } = await ask<{ key: string }>(id, 'trigger', { reason });
      io.out(`${id} runs as ${key}`);
    });
  program
    .command('backfill')
    .description('run the slots of a past range, each once')
    .argument('<id>')
    .requiredOption('--from <instant>', 'the beginning, such as 2026-01-31T09:00:00Z')
    .requiredOption('--to <instant>', 'the end, inclusive')
    .option('--again', 'also run slots that already have a run')
    .option('--reason <text>', 'the reason, for the transition log')
    .action(async (id: string, options: { from: string; to: string; again?: boolean; reason?: string }) => {
      await ask(id, 'backfill', options);
      io.out(`${id} backfill requested; see \`drover runs ${id}\``);
    });
  program
    .command('pause')
    .description('pause a scheduled bot: no slot runs')
    .argument('<id>')
    .option('--note <text>', 'the reason, for the log and the condition')
    .option('--until <instant>', 'resume automatically at this time, or after 30m, 2h or 1d')
    .action(async (id: string, { note = '', until }: { note?: string; until?: string }) => {
      const end = untilOf(until, Date.now());
      await ask(id, 'pause', { reason: note, ...(end === undefined ? {} : { until: end }) });
      io.out(`${id} pause requested`);
    });
  program
    .command('resume')
    .description('resume a paused bot: its slots run again')
    .argument('<id>')
    .action(async (id: string) => {
      await ask(id, 'resume', {});
      io.out(`${id} resume requested`);
    });
};
