/** `drover schedules [id]`: scheduled bots as a table, or one with its meaning, next runs and conditions. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { jsonText } from '../domain/json-text.ts';
import pc from 'picocolors';
import { DroverError } from '../domain/errors.ts';
import type { Condition } from '../domain/running-bot.ts';
import type { ScheduledBot } from '../domain/scheduled-bot.ts';
import { printable } from '../domain/transition-line.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { jsonOption } from './output-option.ts';

type Shown = ScheduledBot & {
  readonly schedule: string | null;
  readonly specVersion: string | null;
  readonly runtime: string | null;
  readonly going: number;
  readonly waiting: number;
};
type Detailed = Shown & {
  readonly meaning: Readonly<Record<string, unknown>> | null;
  readonly next: readonly string[];
  readonly policy: Readonly<Record<string, unknown>> | null;
};

/** What the API takes for its preview; only other programs can have given a schedule this id. */
const PREVIEW = 'preview';

export const isoText = (at: number | null): string =>
  at === null ? '' : new Date(at).toISOString().replace('.000Z', 'Z');

const paint = (state: string): string =>
  state === 'armed' ? pc.green(state) : state === 'paused' ? pc.red(state) : pc.yellow(state);

/** The one condition an operator should read first. */
const first = (conditions: readonly Condition[]): Condition | undefined =>
  conditions.find(({ type, status }) => type === 'ScheduleHealthy' && status !== 'True') ??
  conditions.find(({ status }) => status !== 'True') ??
  conditions[0];

const told = ({ reason, message }: Condition): string => `${reason}: ${printable(message.slice(0, 60))}`;

const underWay = ({ going, waiting }: Shown): string =>
  waiting === 0 ? String(going) : `${String(going)}, ${String(waiting)} waiting`;

const fleetTable = (schedules: readonly Shown[]): string => {
  const head = ['schedule', 'state', 'expression', 'next', 'last run', 'active', 'reason'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const shown of schedules) {
    const { scheduleId, state, schedule, nextAt, lastRun, conditions } = shown;
    const condition = first(conditions);
    table.push([
      scheduleId,
      paint(state),
      schedule ?? '',
      isoText(nextAt),
      lastRun === null ? '' : `${lastRun.outcome} ${isoText(lastRun.endedAt)}`,
      underWay(shown),
      condition === undefined ? '' : told(condition),
    ]);
  }
  return table.toString();
};

const words = (record: Readonly<Record<string, unknown>> | null): string =>
  Object.entries(record ?? {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');

const oneSchedule = (shown: Detailed): string => {
  const rows: [string, string][] = [
    ['schedule', shown.scheduleId],
    ['state', paint(shown.state)],
    ['expression', shown.schedule ?? ''],
    ['meaning', words(shown.meaning)],
    ['next', shown.next.join(', ')],
    ['policy', words(shown.policy)],
    ['runtime', `${shown.runtime ?? '?'} ${shown.specVersion ?? ''}`],
    ['active', shown.runs.map(({ key, status }) => `${key} ${status}`).join(', ')],
    ['last run', shown.lastRun === null ? '' : `${shown.lastRun.key} ${shown.lastRun.outcome}`],
    ['listed', `${String(shown.listed.succeeded)} succeeded, ${String(shown.listed.failed)} failed`],
    ...shown.conditions.map(({ type, status, reason, message }): [string, string] => [
      type,
      `${status} ${reason}: ${printable(message)}`,
    ]),
  ];
  return rows.map(([name, value]) => `${pc.dim(name.padEnd(18))}${value}`).join('\n');
};

export const addSchedules = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('schedules')
    .description('show all schedules, or one of them')
    .argument('[id]')
    .addOption(jsonOption())
    .action(async (id: string | undefined, options: { output?: string }) => {
      if (id === PREVIEW) {
        throw new DroverError(
          'REQUEST_INVALID',
          `the API reserves \`${PREVIEW}\`; \`drover schedules\` lists a schedule of this id`,
        );
      }
      const path = id === undefined ? '/v1/schedules' : `/v1/schedules/${encodeURIComponent(id)}`;
      const answer = await client().call<unknown>('GET', path);
      if (options.output === 'json') io.out(jsonText(answer, 2));
      else io.out(id === undefined ? fleetTable(answer as Shown[]) : oneSchedule(answer as Detailed));
    });
};
