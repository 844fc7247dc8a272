/** The `drover` command: one file a subcommand. */
import { Command } from 'commander';
import { addApply } from './apply.ts';
import { addBotActions } from './bot-actions.ts';
import { addFleetActions } from './fleet-actions.ts';
import { addGc } from './gc.ts';
import { addGet } from './get.ts';
import type { Io } from './io.ts';
import { addMove } from './move.ts';
import { addOrphans } from './orphans.ts';
import { addQuery } from './query.ts';
import { addRuns } from './runs.ts';
import { addScheduleActions } from './schedule-actions.ts';
import { addSchedules } from './schedules.ts';
import { addSettings } from './settings.ts';
import { addState } from './state.ts';
import { addTransitions } from './transitions.ts';
import { withPrintableAnswers } from './printable-answers.ts';

export const VERSION = '0.1.0';

const AS_GIVEN: ReadonlySet<string> = new Set(['query', 'takeover']);

export const createProgram = (io: Io): Command => {
  const program = new Command('drover')
    .description('runs bots in Docker and keeps them in their desired state')
    .version(VERSION)
    .option('--url <url>', 'address of the API (DROVER_URL); else where HTTP_HOST and HTTP_PORT say')
    .option('--token <token>', 'bearer token of the API (DROVER_TOKEN); else API_TOKEN')
    .configureOutput({
      writeOut: (text) => {
        io.out(text.trimEnd());
      },
    });
  // JSON is for programs, and a bot's reply is its own: both are printed as they are, and `io.out` keeps them from a terminal.
  // What takes over sends back the ids that it was given.
  let forPeople = true;
  program.hook('preAction', (_program, action) => {
    forPeople = action.opts<{ output?: string }>().output !== 'json' && !AS_GIVEN.has(action.name());
  });
  const client = () => {
    const api = io.client(program.opts<{ url?: string; token?: string }>());
    return forPeople ? withPrintableAnswers(api) : api;
  };
  program.commandsGroup('Run drover:');
  addSettings(program, io);
  program.commandsGroup('Bots:');
  addApply(program, io, client);
  addGet(program, io, client);
  addBotActions(program, io, client);
  addState(program, io, client);
  addQuery(program, io, client);
  program.commandsGroup('Scheduled bots:');
  addSchedules(program, io, client);
  addRuns(program, io, client);
  addScheduleActions(program, io, client);
  program.commandsGroup('The fleet:');
  addTransitions(program, io, client);
  addFleetActions(program, io, client);
  addOrphans(program, io, client);
  addMove(program, io, client);
  addGc(program, io);
  program
    .commandsGroup('Other:')
    .addHelpCommand(
      new Command('help').argument('[command]').description('display help for a command').helpGroup('Other:'),
    );
  program
    .command('version')
    .description('print the version')
    .action(() => {
      io.out(VERSION);
    });
  return program;
};
