/** `drover orphans`: containers of this install that belong to no bot, and how to be rid of them. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { durationText, printable } from '../domain/transition-line.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

export interface ListedOrphan {
  readonly id: string;
  readonly container: string;
  readonly status: string;
  readonly since: number;
}

/** Below a list of bots, in which they are not. */
export const orphanLine = (orphans: readonly ListedOrphan[]): string | undefined =>
  orphans.length === 0
    ? undefined
    : `${String(orphans.length)} ${orphans.length === 1 ? 'container' : 'containers'} of this install belong to no bot: ` +
      `${orphans.map(({ id }) => printable(id)).join(', ')}; see \`drover orphans\``;

const table = (orphans: readonly ListedOrphan[]): string => {
  const rows = new Table({ head: ['bot or run', 'container', 'status', 'seen for'], style: { head: [], border: [] } });
  for (const { id, container, status, since } of orphans)
    rows.push([printable(id), printable(container.slice(0, 12)), printable(status), durationText(Date.now() - since)]);
  return rows.toString();
};

export const addOrphans = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('orphans')
    .description(
      'list the containers of this install that belong to no bot, or stop them; applying the document of a bot adopts its container',
    )
    .option('--stop <id>', 'stop and remove the containers of this bot or run; its volumes stay')
    .option('-o, --output <form>', '`json` for programs')
    .action(async ({ stop, output }: { stop?: string; output?: string }) => {
      if (stop !== undefined) {
        const { stopped } = await client().call<{ stopped: readonly string[] }>(
          'POST',
          `/v1/orphans/${encodeURIComponent(stop)}/stop`,
          {},
        );
        io.out(`${stop}: ${String(stopped.length)} stopped`);
        return;
      }
      const orphans = await client().call<readonly ListedOrphan[]>('GET', '/v1/orphans');
      if (output === 'json') io.out(JSON.stringify(orphans, null, 2));
      else io.out(orphans.length === 0 ? 'no orphans' : table(orphans));
    });
};
