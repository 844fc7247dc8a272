/** What `npm test -- --changed` runs: the tests that import a changed file, and those that read it. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { DroverError } from '../src/domain/errors.ts';

/** After a change of these nobody can say what it touches. */
const EVERYTHING =
  /^(test\/setup\/|scripts\/(test|run-vitest|signal-group|test-run|changed-files)\.ts|vitest\.config|package|tsconfig)/;

/** Programs that tests bundle and start: what those are made of is imported by no test. */
const RUNTIME_PROGRAMS = [
  'test/support/daemon/daemon-process.ts',
  'test/support/daemon/transfer-process.ts',
  'test/support/state-child.ts',
  'test/support/logs/ship-forever.ts',
  'test/support/logs/ship-once.ts',
];

/** Files that no test imports, and who reads them. A reader that is no test stands for all tests that import it. */
export const READERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^bin\//, ['scripts/drover-process.ts', 'scripts/build-drover-image.ts']],
  // Both are in the image that every bot runs in.
  [/^(src\/runtime|compose\/bot-image)\//, ['test/support/spine.ts', ...RUNTIME_PROGRAMS]],
  [/^(src\/cli|bin)\//, ['test/servers/gc-command.test.ts']],
  [/^src\//, ['test/unit/dependency-rule.test.ts']],
  [/^compose\/drover-image\//, ['scripts/build-drover-image.ts']],
  [/^compose\//, ['test/unit/compose.test.ts', 'test/integration/drover-image.test.ts']],
  [/^(examples\/|scripts\/demo)/, ['test/integration/demo.test.ts']],
  [/^examples\//, ['test/integration/drover-image.test.ts', 'test/controllers/schedule-cli.test.ts']],
  [
    /^test\/replay\//,
    ['test/replay/replay.test.ts', 'test/replay/schedule-replay.test.ts', 'test/unit/transition-line.test.ts'],
  ],
  [/^test\/unit\/golden\//, ['test/unit/cron-reference.test.ts']],
  [/^docs\/reference\//, ['test/docs/fields.test.ts', 'test/docs/faults.test.ts']],
  // It looks for the numbers of faults in the names of tests.
  [/^test\/.*\.ts$/, ['test/docs/faults.test.ts']],
  [/^(README\.md|docs\/|compose\/README\.md)/, ['test/docs/commands.test.ts', 'test/docs/links.test.ts']],
];

/** Files below test/ that name one of these: a program that is started by its name is imported by nobody. */
const namersOf = (root: string, programs: readonly string[]): readonly string[] => {
  if (programs.length === 0) return [];
  const names = programs.map((file) => ({ file, name: `${basename(file).replace(/\.\w+$/, '')}.` }));
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('test', path))
    .filter((path) => {
      if (!path.endsWith('.ts')) return false;
      const text = readFileSync(join(root, path), 'utf8');
      return names.some(({ file, name }) => file !== path && text.includes(name));
    });
};

const isProgram = (file: string): boolean => /^test\/.*\.ts$/.test(file) && !file.endsWith('.test.ts');

/** With those that read them, as paths relative to the repository; undefined: all tests are to run. */
export const withReaders = ({ present, gone }: Changed, root: string): readonly string[] | undefined => {
  // Who imported a file that is gone can be read off nothing any more.
  if (gone.some((file) => /\.(ts|cjs|js|py)$/.test(file))) return undefined;
  const all = [...present, ...gone];
  if (all.some((file) => EVERYTHING.test(file))) return undefined;
  const readers = all.flatMap((file) => READERS.filter(([of]) => of.test(file)).flatMap(([, who]) => who));
  const programs = [...all, ...readers].filter(isProgram);
  return [...new Set([...present, ...readers, ...namersOf(root, programs)])];
};

const run = promisify(execFile);

/** git tells hooks which repository and index it means by its variables: here it is the one that is asked about. */
export const withoutGit = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('GIT_')));

export interface Changed {
  readonly present: readonly string[];
  readonly gone: readonly string[];
}

/**
 * Files that differ from the commit, and those that git does not know yet. A file that was moved is one that is gone and a new one.
 * @throws DroverError CONFIG_INVALID when there is no such commit, or no repository
 */
export const changedFiles = async (since: string, root: string): Promise<Changed> => {
  const git = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await run('git', args, { cwd: root, env: withoutGit(process.env) });
    return stdout.split('\0').filter((line) => line !== '');
  };
  const isRepository = await git('rev-parse', '--is-inside-work-tree').then(
    () => true,
    () => false,
  );
  if (!isRepository) throw new DroverError('CONFIG_INVALID', '--changed needs git, and a clone of the repository');
  const commit = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${since}^{commit}`).catch(() => {
    throw new DroverError('CONFIG_INVALID', `--changed ${since}: git knows no commit of that name`);
  });
  const sha = (commit[0] ?? '').trim();
  const diff = (filter: string): Promise<readonly string[]> =>
    git('diff', '--name-only', '--no-renames', `--diff-filter=${filter}`, '--relative', '-z', sha);
  const [changed, gone, unknown] = await Promise.all([
    diff('d'),
    diff('D'),
    git('ls-files', '--others', '--exclude-standard', '-z'),
  ]);
  return { present: [...changed, ...unknown], gone };
};
