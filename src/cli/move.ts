/** `drover takeover` and `drover dead-letters`. */
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { durationText, printable } from '../domain/transition-line.ts';
import { DroverError } from '../domain/errors.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { jsonOption } from './output-option.ts';

interface Found {
  readonly botId: string;
  readonly container: string;
  readonly name: string;
  readonly createdAt: number;
  readonly install?: string;
}
interface Look {
  readonly ours: readonly Found[];
  readonly strangers: readonly Found[];
  readonly installs: readonly Found[];
}
interface TakeOverOptions {
  readonly dryRun?: boolean;
  readonly watch?: boolean;
  readonly install?: string;
}
interface Letter {
  readonly subject: string;
  readonly at: number;
  readonly reason: string;
  readonly size: number;
  readonly data: string;
  readonly position?: { readonly stream: string; readonly sequence: number };
}

/** The predecessor makes missing containers anew each 30 s: one that still runs shows itself within this time. */
const WATCH_MS = 40_000;
const LOOK_MS = 2_000;
const REASON_WIDTH = 60;

const listed = (found: readonly Found[]): string =>
  found
    .map(({ botId, name, createdAt }) =>
      printable(`  ${botId}  container ${name}, up for ${durationText(Date.now() - createdAt)}`),
    )
    .join('\n');

/** What is stopped: containers of the0, or of the install that was named. */
const chosen = ({ ours, installs }: Look, install: string | undefined): readonly Found[] =>
  install === undefined ? ours : installs.filter((found) => found.install === install);

/** Of installs that were not named: nothing is done about them. */
const tellOfInstalls = (io: Io, installs: readonly Found[]): void => {
  for (const install of new Set(installs.map((found) => found.install ?? ''))) {
    const found = listed(installs.filter((each) => each.install === install));
    const name = printable(install);
    const remedy = `stop that drover, then \`drover takeover --install ${name}\``;
    io.out(`run by the install ${name} of drover, and not stopped (${remedy}):\n${found}`);
  }
};

const takeOver = async (io: Io, client: ApiClient, options: TakeOverOptions): Promise<void> => {
  const { install } = options;
  const of = install === undefined ? 'the0' : `the install ${install}`;
  const seen = await client.call<Look>('GET', '/v1/takeover');
  if (seen.strangers.length > 0 && install === undefined)
    io.out(`not stopped, because drover has no enabled bot with their id:\n${listed(seen.strangers)}`);
  if (install === undefined) tellOfInstalls(io, seen.installs);
  const ours = chosen(seen, install);
  if (ours.length === 0) {
    io.out(`no container of ${of} runs a bot of drover`);
    return;
  }
  if (options.dryRun === true) {
    io.out(`would be stopped (SIGTERM, SIGKILL after 30 s) and run by drover:\n${listed(ours)}`);
    return;
  }
  const taken = [...new Set(ours.map(({ botId }) => botId))];
  for (const [index, botId] of taken.entries()) {
    io.out(`[${String(index + 1)}/${String(taken.length)}] ${printable(botId)}: stopping`);
    const { stopped } = await client.call<{ stopped: readonly Found[] }>(
      'POST',
      `/v1/takeover/${encodeURIComponent(botId)}`,
      install === undefined ? {} : { install },
    );
    io.out(
      `[${String(index + 1)}/${String(taken.length)}] ${printable(botId)}: ${String(stopped.length)} stopped, drover runs the bot`,
    );
  }
  if (options.watch === false) return;
  io.out(`watching for ${String(WATCH_MS / 1_000)} s whether ${of} starts them again`);
  for (const until = Date.now() + WATCH_MS; Date.now() < until && !io.signal.aborted;) {
    await sleep(LOOK_MS, undefined, { signal: io.signal }).catch(() => undefined);
    const back = chosen(await client.call<Look>('GET', '/v1/takeover'), install);
    if (back.length === 0) continue;
    throw new DroverError('PREDECESSOR_ACTIVE', `${of} has started these containers again:\n${listed(back)}`);
  }
  io.out('done: only drover runs these bots');
};

export const addMove = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('takeover')
    .description('gracefully stop the containers of the0 whose bots drover has, and run these bots')
    .option('--dry-run', 'print what would be stopped, and stop nothing')
    .option('--install <name>', 'stop those of this other install of drover, whose controller has ended, instead')
    .option('--no-watch', 'do not watch whether they are started again')
    .action((options: TakeOverOptions) => takeOver(io, client(), options));
  program
    .command('dead-letters')
    .description('list the messages that were not valid, newest first, with the reason')
    .option('-n, --limit <count>', 'the largest number of messages', '20')
    .addOption(jsonOption())
    .action(async ({ limit, output }: { limit: string; output?: string }) => {
      const letters = await client().call<readonly Letter[]>('GET', `/v1/dead-letters?limit=${limit}`);
      if (output === 'json') {
        io.out(JSON.stringify(letters, null, 2));
        return;
      }
      if (letters.length === 0) {
        io.out('no dead letters');
        return;
      }
      const table = new Table({
        head: ['when', 'subject', 'number', 'reason', 'begins with'],
        style: { head: [], border: [] },
        // Whole: a reason that is cut says what is wrong first and nothing of the rest.
        colWidths: [null, null, null, REASON_WIDTH, null],
        wordWrap: true,
      });
      for (const { at, subject, position, reason, data } of letters) {
        const start = Buffer.from(data, 'base64').toString('utf8').slice(0, 40);
        table.push([
          new Date(at).toISOString(),
          subject,
          position?.sequence ?? '',
          printable(reason),
          printable(JSON.stringify(start)),
        ]);
      }
      io.out(table.toString());
    });
};
