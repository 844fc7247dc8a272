/** What `npm test -- --changed` runs: the tests that import a changed file, and those that read it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DroverError } from '../src/domain/errors.ts';

/** Files that no test imports, and who reads them. A reader that is no test stands for all tests that import it. */
export const READERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^bin\//, ['scripts/drover-process.ts', 'scripts/build-drover-image.ts']],
  // Both are in the image that every bot runs in.
  [/^(src\/runtime|compose\/bot-image)\//, ['test/support/spine.ts']],
  [/^compose\/drover-image\//, ['scripts/build-drover-image.ts']],
  [/^compose\//, ['test/unit/compose.test.ts', 'test/integration/drover-image.test.ts']],
  [/^(examples\/|scripts\/demo)/, ['test/integration/demo.test.ts']],
  [/^examples\//, ['test/integration/drover-image.test.ts', 'test/controllers/schedule-cli.test.ts']],
  [/^test\/replay\//, ['test/replay/replay.test.ts', 'test/replay/schedule-replay.test.ts']],
  [/^test\/unit\/golden\//, ['test/unit/cron-reference.test.ts']],
  [/^(README\.md|docs\/|compose\/README\.md)/, ['test/docs/commands.test.ts', 'test/docs/links.test.ts']],
];

/** With those that read them. Paths are relative to the repository, as git has them. */
export const withReaders = (changed: readonly string[]): readonly string[] => {
  const readers = changed.flatMap((file) => READERS.filter(([of]) => of.test(file)).flatMap(([, who]) => who));
  return [...new Set([...changed, ...readers])];
};

const run = promisify(execFile);

/**
 * Files that differ from the commit, and those that git does not know yet.
 * @throws DroverError CONFIG_INVALID when there is no such commit
 */
export const changedFiles = async (since: string, root: string): Promise<readonly string[]> => {
  const git = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await run('git', args, { cwd: root });
    return stdout.split('\0').filter((line) => line !== '');
  };
  const commit = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${since}^{commit}`).catch(() => {
    throw new DroverError('CONFIG_INVALID', `--changed ${since}: git knows no commit of that name`);
  });
  const sha = (commit[0] ?? '').trim();
  const lists = await Promise.all([
    git('diff', '--name-only', '--relative', '-z', sha),
    git('ls-files', '--others', '--exclude-standard', '-z'),
  ]);
  return lists.flat();
};
