/** `drover runs <id> [key]`: what ran, what did not and why; `drover preview [id]`: what will. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { jsonText } from '../domain/json-text.ts';
import pc from 'picocolors';
import type { FireTime, PassedSlots, RunRecord } from '../domain/scheduled-bot.ts';
import { durationText } from '../domain/transition-line.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { jsonOption } from './output-option.ts';
import { isoText } from './schedules.ts';

const style = { head: [], border: [] };

const paint = (status: string): string => {
  if (status === 'succeeded') return pc.green(status);
  return status === 'failed' || status === 'timedOut' ? pc.red(status) : pc.yellow(status);
};

const took = ({ startedAt, endedAt }: RunRecord): string =>
  startedAt === null || endedAt === null ? '' : durationText(endedAt - startedAt);

const runsTable = (runs: readonly RunRecord[], passed: readonly PassedSlots[]): string => {
  const head = ['run', 'slot', 'trigger', 'status', 'late', 'took', 'exit', 'tries', 'why'];
  const table = new Table({ head, style });
  const rows = [
    ...runs.map((run) => ({
      at: run.claimedAt,
      row: [
        run.key,
        isoText(run.scheduledAt),
        run.trigger,
        paint(run.status) + (run.writesState ? '' : pc.dim(' (state read-only)')),
        run.latenessMs === null ? '' : (run.late ? pc.red : pc.dim)(durationText(run.latenessMs)),
        took(run),
        run.exitCode ?? '',
        run.attempts,
        run.detail ?? run.stopReason ?? '',
      ],
    })),
    ...passed.map(({ at, from, to, count, more, reason }) => ({
      at,
      row: [
        pc.dim('-'),
        from === to ? isoText(from) : `${isoText(from)} … ${isoText(to)}`,
        '',
        pc.dim('did not run'),
        '',
        '',
        '',
        `${String(count)}${more ? '+' : ''} slot${count === 1 ? '' : 's'}`,
        reason,
      ],
    })),
  ];
  for (const { row } of rows.sort((a, b) => b.at - a.at)) table.push(row);
  return table.toString();
};

const oneRun = (run: RunRecord): string =>
  Object.entries(run)
    .map(([name, value]) => {
      const text = /At$/.test(name) ? isoText(value as number | null) : JSON.stringify(value);
      return `${pc.dim(name.padEnd(18))}${text}`;
    })
    .join('\n');

export const addRuns = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('runs')
    .description('show the runs of a schedule and the slots that did not run, newest first, or one run')
    .argument('<id>')
    .argument('[key]')
    .option('--limit <count>', 'the number of runs', '20')
    .option('--all', 'include runs that are no longer listed')
    .addOption(jsonOption())
    .action(async (id: string, key: string | undefined, options: { limit: string; all?: boolean; output?: string }) => {
      const path = `/v1/schedules/${encodeURIComponent(id)}/runs`;
      const query = new URLSearchParams({ limit: options.limit, ...(options.all === true ? { all: 'true' } : {}) });
      const url = key === undefined ? `${path}?${query.toString()}` : `${path}/${encodeURIComponent(key)}`;
      const answer = await client().call<unknown>('GET', url);
      if (options.output === 'json') io.out(jsonText(answer, 2));
      else if (key !== undefined) io.out(oneRun(answer as RunRecord));
      else {
        const { runs, passed } = answer as { runs: readonly RunRecord[]; passed: readonly PassedSlots[] };
        io.out(runsTable(runs, passed));
      }
    });
  program
    .command('preview')
    .description('show the next slots of one schedule, or of all within a day')
    .argument('[id]')
    .option('--from <instant>', 'the beginning, such as 2026-01-31T09:00:00Z; now by default')
    .option('--to <instant>', 'the end')
    .option('--limit <count>', 'the largest number of slots')
    .addOption(jsonOption())
    .action(
      async (
        id: string | undefined,
        { output, ...range }: { from?: string; to?: string; limit?: string; output?: string },
      ) => {
        const path = id === undefined ? '/v1/schedules/preview' : `/v1/schedules/${encodeURIComponent(id)}/preview`;
        const query = new URLSearchParams(range).toString();
        const answer = await client().call<{ times: readonly FireTime[]; more: boolean }>('GET', `${path}?${query}`);
        if (output === 'json') {
          io.out(jsonText(answer, 2));
          return;
        }
        const lines = answer.times.map(({ scheduleId, dueAt }) => `${isoText(dueAt)}  ${scheduleId}`);
        if (lines.length === 0) {
          io.out(`no run is due in this time${id === undefined ? '; `--to` looks farther than a day' : ''}`);
          return;
        }
        io.out([...lines, ...(answer.more ? ['…'] : [])].join('\n'));
      },
    );
};
