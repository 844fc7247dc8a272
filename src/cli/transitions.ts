/** `drover transitions [-f] [bot]`: the log, from the store. */
import { Option, type Command } from 'commander';
import pc from 'picocolors';
import { printable, transitionJson, transitionLine, type Paint } from '../domain/transition-line.ts';
import type { Transition } from '../domain/transition.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';

/** What the bot printed last, below the exit that it explains. */
const outputOf = ({ event }: Transition): readonly string[] =>
  event.type === 'ContainerExited' && event.class !== 'stoppedByUs' && event.class !== 'completed'
    ? event.logTail.map((line) => pc.dim(`    | ${printable(line)}`))
    : [];

const COLOURS: Paint = { dim: pc.dim, good: pc.green, bad: pc.red, busy: pc.yellow, strong: pc.bold };

export const addTransitions = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('transitions')
    .description('show every transition of the fleet, or of one bot, with its cause')
    .argument('[bot]')
    .option('-f, --follow', 'print new transitions as they happen')
    .option('--after <position>', 'only transitions after this position', '0')
    .addOption(
      new Option('-o, --output <form>', '`json` or `pretty`; by default pretty on a terminal, else JSON').choices([
        'json',
        'pretty',
      ]),
    )
    .action(async (bot: string | undefined, options: { follow?: boolean; after: string; output?: string }) => {
      const query = new URLSearchParams({ after: options.after });
      if (bot !== undefined) query.set('bot', bot);
      if (options.follow === true) query.set('follow', 'true');
      const pretty = options.output === undefined ? io.isTerminal : options.output === 'pretty';
      for await (const line of client().lines(`/v1/transitions?${query.toString()}`, io.signal)) {
        const transition = JSON.parse(line) as Transition;
        if (!pretty) io.out(JSON.stringify(transitionJson(transition)));
        else for (const each of [transitionLine(transition, COLOURS), ...outputOf(transition)]) io.out(each);
      }
    });
};
