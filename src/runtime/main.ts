/** The program inside a bot's container: `/app/runtime <command>`. Each command loads only what it needs. */
import { parseArgs } from 'node:util';

const VERSION = '0.1.0';
const USAGE = `usage: runtime execute [--query PATH] [--query-server-only] [--skip-sync] [--skip-query-server]
       runtime daemon init | daemon sync [flags]
       runtime query
       runtime state list | state choose <snapshot> --request <id>
       runtime code admit <sha256> <path>
       runtime version
`;

const executeFlags = (args: readonly string[]) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      query: { type: 'string' },
      'query-server-only': { type: 'boolean', default: false },
      'skip-sync': { type: 'boolean', default: false },
      'skip-query-server': { type: 'boolean', default: false },
    },
    strict: true,
  });
  return {
    query: values.query,
    queryServerOnly: values['query-server-only'],
    skipSync: values['skip-sync'],
    skipQueryServer: values['skip-query-server'],
  };
};

const misused = (why = ''): number => {
  process.stderr.write(why === '' ? USAGE : `${why}\n${USAGE}`);
  return 64;
};

const execute = async (args: readonly string[]): Promise<number> => {
  let flags: ReturnType<typeof executeFlags>;
  try {
    flags = executeFlags(args);
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error));
  }
  return (await import('./execute.ts')).execute(flags);
};

const run = async ([command, ...args]: readonly string[]): Promise<number> => {
  switch (command) {
    case 'execute':
      return execute(args);
    case 'daemon':
      return (await import('./daemon/main.ts')).daemon(args);
    case 'query':
      return (await import('./query/query-session.ts')).answerQueries();
    case 'state':
      return (await import('./state/command.ts')).stateCommand(args);
    case 'code':
      return args[0] === 'admit' ? (await import('./code/admit.ts')).admitCode(args.slice(1)) : misused();
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return 0;
    default:
      return misused();
  }
};

/** Everything that was written leaves before the end. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });

void run(process.argv.slice(2)).then(async (code) => {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
});
