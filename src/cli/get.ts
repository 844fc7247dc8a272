/** `drover get [id]`: the fleet as a table, or one bot with its conditions. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { jsonText } from '../domain/json-text.ts';
import pc from 'picocolors';
import { durationText, printable } from '../domain/transition-line.ts';
import type { Condition, RunningBot } from '../domain/running-bot.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { jsonOption } from './output-option.ts';
import { orphanLine, type ListedOrphan } from './orphans.ts';

type Shown = Omit<RunningBot, 'status'> & {
  readonly status: RunningBot['status'] | 'unknown';
  readonly enabled: boolean | null;
  readonly runtime: string | null;
  readonly specVersion: string | null;
};

const short = (id: string | null): string => id?.slice(0, 12) ?? '';

/** The one condition an operator should read first. */
const first = (conditions: readonly Condition[]): Condition | undefined =>
  conditions.find(({ type }) => type === 'LogCorrupt' || type === 'ReconcileFailing') ??
  conditions.find(({ type, status }) => type === 'Ready' && status === 'Unknown') ??
  conditions.find(({ type, status }) => type === 'SpecValid' && status !== 'True') ??
  conditions.find(({ type, status }) => type === 'Degraded' && status === 'True') ??
  conditions.find(
    ({ type, status, reason }) =>
      type === 'Progressing' && (status === 'True' || reason === 'ForeignInstance' || reason === 'HostPressure'),
  ) ??
  conditions.find(({ type, status }) => (type === 'StateSynced' || type === 'LogsShipped') && status === 'False') ??
  conditions.find(({ type }) => type === 'SpecClear') ??
  conditions.find(({ type }) => type === 'Ready');

/** `status` says whether the state is known. */
const stateText = ({ status, state }: Pick<Shown, 'status' | 'state'>): string =>
  status === 'unknown' ? pc.yellow(`unknown (was ${state})`) : paint(state);

const paint = (state: string): string =>
  state === 'running' ? pc.green(state) : state.startsWith('failed') ? pc.red(state) : pc.yellow(state);

const age = (bot: Shown): string => {
  const since = first(bot.conditions)?.lastTransitionTime ?? 0;
  return since === 0 ? '' : durationText(Date.now() - since);
};

const fleetTable = (bots: readonly Shown[]): string => {
  const head = ['bot', 'state', 'for', 'restarts', 'generation', 'container', 'reason'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const bot of bots) {
    const condition = first(bot.conditions);
    table.push([
      bot.botId,
      stateText(bot) + (bot.unsynced ? pc.red(' (unsynced)') : ''),
      age(bot),
      bot.restarts,
      `${String(bot.observedGeneration ?? '-')}/${String(bot.generation)}`,
      short(bot.containerId),
      condition === undefined ? '' : `${condition.reason}: ${printable(condition.message.slice(0, 60))}`,
    ]);
  }
  return table.toString();
};

const exitText = ({ class: kind, exitCode, detail }: NonNullable<RunningBot['lastExit']>): string =>
  `${kind} (${String(exitCode)})${detail === undefined ? '' : `: ${printable(detail)}`}`;

const oneBot = (bot: Shown & { readonly document: unknown }): string => {
  const rows: [string, string][] = [
    ['bot', bot.botId],
    ['state', stateText(bot) + (bot.unsynced ? pc.red(' (unsynced)') : '')],
    ['should run', String(bot.wanted)],
    ['runtime', `${bot.runtime ?? '?'} ${bot.specVersion ?? ''}`],
    ['generation', `${String(bot.generation)}, running ${String(bot.observedGeneration ?? 'none')}`],
    ['container', short(bot.containerId)],
    ['attempt, restarts', `${String(bot.attempt)}, ${String(bot.restarts)}`],
    ['last exit', bot.lastExit === null ? '' : exitText(bot.lastExit)],
    ...bot.conditions.map(({ type, status, reason, message }): [string, string] => [
      type,
      `${status} ${reason}: ${printable(message)}`,
    ]),
  ];
  return rows.map(([name, value]) => `${pc.dim(name.padEnd(18))}${value}`).join('\n');
};

export const addGet = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('get')
    .description('show all bots, or one of them')
    .argument('[id]')
    .addOption(jsonOption())
    .action(async (id: string | undefined, options: { output?: string }) => {
      const path = id === undefined ? '/v1/bots' : `/v1/bots/${encodeURIComponent(id)}`;
      const answer = await client().call<unknown>('GET', path);
      const orphans =
        id === undefined && options.output !== 'json'
          ? await client().call<readonly ListedOrphan[]>('GET', '/v1/orphans')
          : [];
      if (options.output === 'json') io.out(jsonText(answer, 2));
      else io.out(id === undefined ? fleetTable(answer as Shown[]) : oneBot(answer as Shown & { document: unknown }));
      const line = orphanLine(orphans);
      if (line !== undefined) io.out(line);
    });
};
