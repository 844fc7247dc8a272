import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changedFiles, READERS, withoutGit, withReaders } from '../../scripts/changed-files.ts';

const ROOT = resolve(import.meta.dirname, '../..');

describe('files that no test imports', () => {
  it.each(READERS.flatMap(([, readers]) => readers))('%s, which stands for their readers, is there', (reader) => {
    expect(existsSync(join(ROOT, reader))).toBe(true);
  });
  it.each([
    ['test/replay/logs/kill-and-restart.jsonl', 'test/replay/replay.test.ts'],
    ['compose/docker-compose.yml', 'test/unit/compose.test.ts'],
    ['compose/bot-image/Dockerfile', 'test/support/spine.ts'],
    ['src/runtime/wrappers/python_bot.py', 'test/support/spine.ts'],
    ['bin/drover.js', 'scripts/drover-process.ts'],
    ['test/support/daemon/transfer-process.ts', 'test/contract/daemon-sync.test.ts'],
    ['src/runtime/daemon/final-sync.ts', 'test/contract/daemon-sync.test.ts'],
    ['test/contract/append-forever-mongo.ts', 'test/contract/mongo-support.ts'],
    ['src/cli/gc.ts', 'test/servers/gc-command.test.ts'],
    ['src/domain/errors.ts', 'test/unit/dependency-rule.test.ts'],
    ['examples/node-ticker/bot.yaml', 'test/integration/demo.test.ts'],
    ['README.md', 'test/docs/links.test.ts'],
    ['docs/how-to/secure.md', 'test/docs/commands.test.ts'],
    ['docs/reference/bot-yaml.md', 'test/docs/fields.test.ts'],
  ])('%s brings %s along', (changed, reader) => {
    expect(withReaders({ present: [changed], gone: [] }, ROOT)).toEqual(expect.arrayContaining([changed, reader]));
  });
  it('a file that is imported stands for itself', () => {
    const present = ['bench/start.bench.ts', 'bench/start.bench.ts'];
    expect(withReaders({ present, gone: [] }, ROOT)).toEqual(['bench/start.bench.ts']);
  });
  it.each(['test/setup/worker.ts', 'scripts/run-vitest.ts', 'package-lock.json'])(
    'all tests run after a change of %s',
    (file) => {
      expect(withReaders({ present: [file], gone: [] }, ROOT)).toBeUndefined();
    },
  );
  it('all tests run when code is gone: nobody can say who imported it', () => {
    expect(withReaders({ present: [], gone: ['src/domain/naming.ts'] }, ROOT)).toBeUndefined();
    expect(withReaders({ present: [], gone: ['docs/index.md'] }, ROOT)).toContain('test/docs/links.test.ts');
  });
});

describe('what has changed since a commit', () => {
  let repository: string;
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e@localhost', '-c', 'commit.gpgSign=false', ...args], {
      cwd: repository,
      encoding: 'utf8',
      env: withoutGit(process.env),
    });
  const present = async (since: string, root = repository): Promise<readonly string[]> =>
    [...(await changedFiles(since, root)).present].sort();
  beforeEach(async () => {
    repository = await mkdtemp(join(tmpdir(), 'drover-changed-'));
    git('init', '--quiet', '--initial-branch=main');
    await writeFile(join(repository, '.gitignore'), 'ignored\n');
    await writeFile(join(repository, 'kept'), '1');
    await writeFile(join(repository, 'edited'), '1');
    git('add', '.');
    git('commit', '--quiet', '--message=one');
  });
  afterEach(() => rm(repository, { recursive: true }));

  it('is what differs, staged or not, and what is new; not what is ignored', async () => {
    expect(await changedFiles('HEAD', repository)).toEqual({ present: [], gone: [] });
    await writeFile(join(repository, 'edited'), '2');
    await mkdir(join(repository, 'new folder'));
    await writeFile(join(repository, 'new folder/ü'), '');
    await writeFile(join(repository, 'staged'), '');
    await writeFile(join(repository, 'ignored'), '');
    git('add', 'staged');
    expect(await present('HEAD')).toEqual(['edited', 'new folder/ü', 'staged']);
  });
  it('counts the commits in between', async () => {
    await writeFile(join(repository, 'edited'), '2');
    git('commit', '--quiet', '--all', '--message=two');
    expect(await present('HEAD')).toEqual([]);
    expect(await present('HEAD~1')).toEqual(['edited']);
  });
  it('tells what is gone, and a file that was moved twice', async () => {
    git('mv', 'edited', 'moved');
    await rm(join(repository, 'kept'));
    expect(await changedFiles('HEAD', repository)).toEqual({ present: ['moved'], gone: ['edited', 'kept'] });
  });
  it('is told of a folder relative to it, and of nothing outside', async () => {
    await mkdir(join(repository, 'sub'));
    await writeFile(join(repository, 'sub/in'), '');
    git('add', '.');
    await writeFile(join(repository, 'edited'), '2');
    expect(await present('HEAD', join(repository, 'sub'))).toEqual(['in']);
  });
  it('is that of the repository that is asked about, also in a hook of another one', async () => {
    await writeFile(join(repository, 'edited'), '2');
    const hook = { GIT_DIR: join(ROOT, 'no-such-repository'), GIT_INDEX_FILE: join(ROOT, 'no-such-index') };
    Object.assign(process.env, hook);
    try {
      expect(await present('HEAD')).toEqual(['edited']);
    } finally {
      for (const name of Object.keys(hook)) Reflect.deleteProperty(process.env, name);
    }
  });
  it('needs a repository', async () => {
    const refused = changedFiles('HEAD', tmpdir());
    await expect(refused).rejects.toMatchObject({ message: '--changed needs git, and a clone of the repository' });
  });
  it.each(['no-such-commit', '--output=x', 'HEAD:edited'])('%s is refused by name', async (name) => {
    const refused = changedFiles(name, repository);
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(name) as string,
    });
  });
});
