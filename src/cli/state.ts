/** `drover state <bot>`: the snapshots of a bot's state; `--restore` chooses one for its next start (feature E11). */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { jsonText } from '../domain/json-text.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { jsonOption } from './output-option.ts';

interface ListedSnapshot {
  readonly attempt: number;
  readonly sequence: number;
  readonly kind: string;
  readonly size: number;
  readonly files: number;
  readonly createdAt: string;
  readonly current?: boolean;
}

const MIB = 1024 ** 2;

const table = (snapshots: readonly ListedSnapshot[]): string => {
  const head = ['snapshot', 'stored at', 'files', 'MiB', 'note'];
  const rows = new Table({ head, style: { head: [], border: [] } });
  for (const { attempt, sequence, createdAt, files, size, kind, current } of snapshots) {
    const what = kind === 'former' ? 'backup of a replaced state' : current === true ? 'the newest state' : '';
    rows.push([`a${String(attempt)}/s${String(sequence)}`, createdAt, files, (size / MIB).toFixed(2), what]);
  }
  return rows.toString();
};

export const addState = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('state')
    .description('list the snapshots of the state of a bot, or restore one')
    .argument('<id>')
    .option(
      '--restore <snapshot>',
      'the snapshot for the next start, such as a3/s7; the state it replaces is kept as a snapshot',
    )
    .addOption(jsonOption())
    .action(async (id: string, { restore, output }: { restore?: string; output?: string }) => {
      const path = `/v1/bots/${encodeURIComponent(id)}/state`;
      if (restore !== undefined) {
        await client().call('POST', `${path}/restore`, { snapshot: restore });
        io.out(`${id}: the next start restores ${restore}`);
        return;
      }
      const answer = await client().call<{ snapshots: ListedSnapshot[] }>('GET', path);
      io.out(output === 'json' ? jsonText(answer, 2) : table(answer.snapshots));
    });
};
