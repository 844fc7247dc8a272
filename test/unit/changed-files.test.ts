import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changedFiles, READERS, withReaders } from '../../scripts/changed-files.ts';

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
    ['examples/node-ticker/bot.yaml', 'test/integration/demo.test.ts'],
    ['README.md', 'test/docs/links.test.ts'],
    ['docs/how-to/secure.md', 'test/docs/commands.test.ts'],
  ])('%s brings %s along', (changed, reader) => {
    expect(withReaders([changed])).toEqual(expect.arrayContaining([changed, reader]));
  });
  it('a file that is imported stands for itself', () => {
    expect(withReaders(['src/domain/errors.ts', 'src/domain/errors.ts'])).toEqual(['src/domain/errors.ts']);
  });
});

describe('what has changed since a commit', () => {
  let repository: string;
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e@localhost', ...args], {
      cwd: repository,
      encoding: 'utf8',
    });
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
    expect(await changedFiles('HEAD', repository)).toEqual([]);
    await writeFile(join(repository, 'edited'), '2');
    await mkdir(join(repository, 'new folder'));
    await writeFile(join(repository, 'new folder/ü'), '');
    await writeFile(join(repository, 'staged'), '');
    await writeFile(join(repository, 'ignored'), '');
    git('add', 'staged');
    expect([...(await changedFiles('HEAD', repository))].sort()).toEqual(['edited', 'new folder/ü', 'staged']);
  });
  it('counts the commits in between', async () => {
    await writeFile(join(repository, 'edited'), '2');
    git('commit', '--quiet', '--all', '--message=two');
    expect(await changedFiles('HEAD', repository)).toEqual([]);
    expect(await changedFiles('HEAD~1', repository)).toEqual(['edited']);
  });
  it.each(['no-such-commit', '--output=x'])('%s is refused by name', async (name) => {
    const refused = changedFiles(name, repository);
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(name) as string,
    });
  });
});
