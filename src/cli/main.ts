/** Entry of the `drover` command: a user's mistake ends in one line and a remedy, never in a stack trace. */
import { CommanderError } from 'commander';
import { clientConfig, environment } from '../config.ts';
import { toDroverError } from '../domain/errors.ts';
import { forTerminal, printable } from '../domain/printable.ts';
import { createApiClient } from './api-client.ts';
import { createProgram } from './program.ts';

const MISTAKE = 1;
const USAGE = 2;

const CONTROLLERS: ReadonlySet<string> = new Set(['up', 'bot-runner', 'bot-scheduler', 'query-server', 'gc']);

const ended = new AbortController();

const main = async (): Promise<number> => {
  const program = createProgram({
    out: (text) => {
      process.stdout.write(`${process.stdout.isTTY ? forTerminal(text) : text}\n`);
    },
    isTerminal: process.stdout.isTTY,
    client: (given) => {
      const { url, token, user } = clientConfig(given);
      return createApiClient({ url, token, actor: `cli:${user}` });
    },
    env: environment(),
    signal: ended.signal,
  });
  program.exitOverride();
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(process.argv);
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE;
    const error = toDroverError(thrown);
    // A message may quote a bot or a document, and these must not drive the terminal.
    const message = error.message.split('\n').map(printable).join('\n');
    process.stderr.write(`drover: ${message} [${error.code}]\n  → ${error.remedy}\n`);
    return MISTAKE;
  }
};

// A reader that went away (`drover transitions | head`) is no fault of anybody; the controller goes on without one.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (CONTROLLERS.has(process.argv[2] ?? '')) return;
  if (code === 'EPIPE') process.exit(0);
  process.stderr.write(`drover: the output could not be written: ${message}\n`);
  process.exit(MISTAKE);
});
// A message that cannot be written (a full disk, a closed pipe) is lost, and nothing else.
process.stderr.on('error', () => undefined);
// An output that could not be written is heard of after this turn.
void main().then((code) => setImmediate(() => process.exit(code)));
