/** What `drover apply` packs of a folder: rows B1 to B4 of the cases of strangers. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fromBufferPromise } from 'yauzl';
import { requireEntrypoints } from '../../src/cli/pack/require-entrypoints.ts';
import { leftOutLine, readFolder, withPacked } from '../../src/cli/pack-folder.ts';
import { CODE_LIMITS } from '../../src/domain/code-limits.ts';

let root: string;
let bot: string;
let round = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-pack-test-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  round += 1;
  bot = join(root, `b${String(round)}`, 'bot');
  mkdirSync(bot, { recursive: true });
});

const write = (path: string, content: string | Buffer = path): void => {
  mkdirSync(dirname(join(bot, path)), { recursive: true });
  writeFileSync(join(bot, path), content);
};
const link = (target: string, path: string): void => {
  mkdirSync(dirname(join(bot, path)), { recursive: true });
  symlinkSync(target, join(bot, path));
};
const packed = async (): Promise<readonly string[]> => (await readFolder(bot)).files.map(({ path }) => path);
const leftOut = async (): Promise<readonly string[]> => (await readFolder(bot)).leftOut.map(({ path }) => path);
const refused = (message: RegExp, code = 'CODE_NOT_PACKABLE') =>
  expect(readFolder(bot)).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });

describe('links', () => {
  it('case B1: a link to a file or a folder inside is followed, one that leads out is refused by name', async () => {
    write('lib/common.py', 'X = 1');
    link('lib/common.py', 'common.py');
    link('lib', 'also');
    expect(await packed()).toEqual(['also/common.py', 'common.py', 'lib/common.py']);
    const content = await withPacked(bot, await readFolder(bot), ({ file }) => readFile(file));
    const zip = await fromBufferPromise(content);
    const sizes: Record<string, number> = {};
    for await (const entry of zip.eachEntry()) sizes[entry.fileName] = entry.uncompressedSize;
    expect(sizes).toEqual({ 'also/common.py': 5, 'common.py': 5, 'lib/common.py': 5 });

    mkdirSync(join(bot, '../shared'));
    writeFileSync(join(bot, '../shared/common.py'), 'X = 2');
    link('../shared/common.py', 'shared.py');
    link('../shared', 'shared');
    await refused(/ {2}shared is a link that leads out of the folder, to .*\n {2}shared\.py is a link that leads out/);
    // What is left out may lead anywhere.
    write('.the0ignore', 'shared\nshared.py\n');
    expect(await packed()).toEqual(['also/common.py', 'common.py', 'lib/common.py']);
  });
  it('case B1: circles end, and what is no file is refused by name', async () => {
    write('a/main.py');
    link('..', 'a/up');
    link('.', 'a/here');
    expect(await packed()).toEqual(['a/main.py']);
    expect(await leftOut()).toEqual(['a/here/', 'a/up/']);

    link('nowhere.py', 'dangling.py');
    link('loop', 'loop');
    expect(spawnSync('mkfifo', [join(bot, 'pipe')]).status).toBe(0);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(bot, 'sock'), resolve));
    try {
      await refused(
        /dangling\.py is a link to something that is not there\n {2}loop is a link that cannot be followed \(ELOOP\)\n {2}pipe is a named pipe\n {2}sock is a socket/,
      );
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
  it('case B1: dependencies that pnpm links are laid where Node finds them, each version where it is needed', async () => {
    const store = (name: string, version: string, needs: Record<string, string> = {}): void => {
      const home = `node_modules/.pnpm/${name.replace('/', '+')}@${version}/node_modules`;
      write(`${home}/${name}/package.json`, JSON.stringify({ name, version, main: 'index.js' }));
      const required = Object.keys(needs).map((need) => `require('${need}')`);
      write(`${home}/${name}/index.js`, `module.exports = ['${name}@${version}', ${required.join(', ')}].flat();`);
      for (const [need, which] of Object.entries(needs)) {
        const up = '../'.repeat(need.split('/').length);
        link(`${up}../${need.replace('/', '+')}@${which}/node_modules/${need}`, `${home}/${need}`);
      }
    };
    store('deep', '1.0.0');
    store('deep', '2.0.0');
    store('@scope/middle', '1.0.0', { deep: '1.0.0' });
    store('direct', '1.0.0', { '@scope/middle': '1.0.0', deep: '2.0.0' });
    store('other', '1.0.0', { deep: '1.0.0' });
    for (const name of ['direct', 'other']) link(`.pnpm/${name}@1.0.0/node_modules/${name}`, `node_modules/${name}`);
    write('main.js', "console.log([require('direct'), require('other')].flat().join(' '))");

    const { files } = await readFolder(bot);
    const place = join(root, `unpacked${String(round)}`);
    for (const { path, source } of files) {
      mkdirSync(dirname(join(place, path)), { recursive: true });
      writeFileSync(join(place, path), await readFile(source));
    }
    const said = (folder: string): string => spawnSync(process.execPath, [join(folder, 'main.js')]).stdout.toString();
    expect(said(bot)).toBe('direct@1.0.0 @scope/middle@1.0.0 deep@1.0.0 deep@2.0.0 other@1.0.0 deep@1.0.0\n');
    expect(said(place)).toBe(said(bot));
    expect(files.filter(({ path }) => path.endsWith('deep/index.js'))).toHaveLength(3);
    expect(files.every(({ path }) => !path.includes('.pnpm'))).toBe(true);
  });
  it('case B1: packages that need one another come to an end', async () => {
    for (const [name, need] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      for (const version of ['1', '2']) {
        const home = `node_modules/.pnpm/${name}@${version}/node_modules`;
        write(`${home}/${name}/index.js`);
        link(`../../${need}@${version}/node_modules/${need}`, `${home}/${need}`);
      }
    }
    write('node_modules/.pnpm/c@1/node_modules/c/index.js');
    link('../../a@2/node_modules/a', 'node_modules/.pnpm/c@1/node_modules/a');
    for (const name of ['a', 'b', 'c']) link(`.pnpm/${name}@1/node_modules/${name}`, `node_modules/${name}`);
    expect(await packed()).toEqual([
      'node_modules/a/index.js',
      'node_modules/b/index.js',
      'node_modules/c/index.js',
      'node_modules/c/node_modules/a/index.js',
      'node_modules/c/node_modules/a/node_modules/b/index.js',
    ]);
  });
});

describe('names', () => {
  it('case B2: only the document of the bot itself is left out, not files of the same name further down', async () => {
    for (const path of ['bot.yaml', 'locales/en/bot.json', 'node_modules/x/bot.yaml', 'main.js']) write(path);
    expect(await packed()).toEqual(['locales/en/bot.json', 'main.js', 'node_modules/x/bot.yaml']);
    expect(await leftOut()).toEqual([]);
  });
  it('case B2: names that an archive cannot hold are refused, in a form that can be read', async () => {
    write('a\\b.py');
    write('C:x.py');
    writeFileSync(Buffer.concat([Buffer.from(`${bot}/caf`), Buffer.from([0xe9]), Buffer.from('.py')]), '');
    await refused(
      /C:x\.py has a name .*\n {2}a\\b\.py has a backslash in its name\n {2}caf\\xe9\.py has a name that is not UTF-8/,
    );
  });
});

describe('.the0ignore', () => {
  it('case B3: is respected, but for what a bot needs to run', async () => {
    write(
      '.the0ignore',
      '\uFEFF# what stays here\r\ndata/\r\n  secrets.json\r\n*.csv\n!keep.csv\n!app.log\n/vendor/\nnode_modules\nfrontend/\n/only-here\n',
    );
    for (const path of [
      'main.py',
      'data/a.bin',
      'deep/data/b.bin',
      'secrets.json',
      'config/secrets.json',
      'x.csv',
      'keep.csv',
      'app.log',
      'other.log',
      'Secrets.json',
      'only-here',
      'deep/only-here',
      'vendor/lib/tests/t.py',
      'vendor/data/x.csv',
      'node_modules/x/index.js',
      'frontend/dist/index.js',
      'frontend/src/index.ts',
      'strategy/vendor/tests/t.py',
    ])
      write(path);
    expect(await packed()).toEqual([
      'Secrets.json',
      'app.log',
      'deep/only-here',
      'frontend/dist/index.js',
      'keep.csv',
      'main.py',
      'node_modules/x/index.js',
      'strategy/vendor/tests/t.py',
      'vendor/data/x.csv',
      'vendor/lib/tests/t.py',
    ]);
    const walked = await readFolder(bot);
    expect(walked.leftOut).toContainEqual({ path: 'data/', by: 'data/ in .the0ignore' });
    expect(walked.leftOut).toContainEqual({ path: 'other.log', by: '*.log' });
    expect(leftOutLine(walked, 2_048)).toBe(
      'packed 10 files, 2.0 KiB; left out 8: config/secrets.json, data/, deep/data/, frontend/src/, only-here, other.log, secrets.json, x.csv',
    );
  });
  it('case B3: without one the rules of the0 hold, and what was left out is named', async () => {
    for (const path of ['.env', 'main.py', 'x.log', 'tests/t.py', '__pycache__/a.pyc', 'notes.temp', 'latest.py']) {
      write(path);
    }
    expect(await packed()).toEqual(['latest.py', 'main.py']);
    expect(await leftOut()).toEqual(['.env', '__pycache__/', 'notes.temp', 'tests/', 'x.log']);
  });
  it('case B3: one that cannot be read is told, not passed over', async () => {
    mkdirSync(join(bot, '.the0ignore'));
    await refused(/\.the0ignore cannot be read/);
  });
});

describe('what cannot run', () => {
  const document = (runtime: string, entrypoints: object) => ({
    id: 'x',
    custom: { config: { runtime, entrypoints } },
  });
  const check = async (runtime: string, entrypoints: object): Promise<void> =>
    requireEntrypoints(document(runtime, entrypoints), await readFolder(bot));

  it('case B1: an entrypoint that is not in the archive is named, with the rule that left it out', async () => {
    for (const path of ['main.py', 'index.js', 'tests/q.py', 'Bot/Bot.csproj', 'bot.jar']) write(path);
    await check('python3.11', { bot: 'main.py' });
    await check('nodejs20', { bot: 'index' });
    await check('dotnet8', { bot: 'Bot' });
    await check('scala3', { bot: 'bot.jar:Main' });
    await expect(check('python3.11', { bot: 'mian.py' })).rejects.toMatchObject({
      code: 'ENTRYPOINT_MISSING',
      message: 'mian.py (entrypoints.bot) is not in the code: there is no such file in the folder',
    });
    await expect(check('python3.11', { bot: 'main.py', query: 'tests/q.py' })).rejects.toMatchObject({
      message: 'tests/q.py (entrypoints.query) is not in the code: tests/ is left out by tests/',
    });
  });
  it('case B1: a program that was compiled for another system is refused', async () => {
    write('linux', Buffer.from('7f454c46', 'hex'));
    write('macos', Buffer.from('cffaedfe', 'hex'));
    write('windows.exe', 'MZ..');
    await check('rust-stable', { bot: 'linux' });
    await expect(check('rust-stable', { bot: 'macos' })).rejects.toThrow(/is a program for macOS/);
    await expect(check('gcc13', { bot: 'windows.exe' })).rejects.toThrow(/is a program for Windows/);
  });
});

describe('sizes', () => {
  it('case B4: code over the limit is refused with the limit and its largest files', async () => {
    write('main.py');
    write('model.bin');
    truncateSync(join(bot, 'model.bin'), CODE_LIMITS.unpackedBytes + 1);
    await refused(
      /has 2\.0 GiB, and at most 2\.0 GiB are accepted; its largest files are model\.bin \(2\.0 GiB\)/,
      'CODE_TOO_LARGE',
    );
  });
  it('are the same archive for the same files, whoever may write them, and large files are streamed', async () => {
    write('main.py');
    write('large.bin', Buffer.alloc(17 * 1024 ** 2, 'x'));
    const digest = async () => withPacked(bot, await readFolder(bot), (archive) => Promise.resolve(archive.digest));
    const first = await digest();
    chmodSync(join(bot, 'main.py'), 0o600);
    expect(await digest()).toBe(first);
    chmodSync(join(bot, 'main.py'), 0o755);
    expect(await digest()).not.toBe(first);
  });
});
