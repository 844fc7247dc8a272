/** The program inside a bot's container: `/app/runtime <command>`. */
import { execute } from './execute.ts';

const VERSION = '0.1.0';
const USAGE = 'usage: runtime execute | version\n';

const run = async (command: string | undefined): Promise<number> => {
  switch (command) {
    case 'execute':
      return execute();
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return 0;
    default:
      process.stderr.write(USAGE);
      return 64;
  }
};

/** Everything that was written leaves before the end. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });

void run(process.argv[2]).then(async (code) => {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
});
