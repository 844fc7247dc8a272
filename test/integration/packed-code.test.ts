/** What lies in the folder is what runs (rows B1, B4, D11 and D12), on a real engine. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFolder, withPacked } from '../../src/cli/pack-folder.ts';
import { rawZip } from '../support/raw-zip.ts';
import { docker, LOOPING, startSpine, zipOf, type Spine } from '../support/spine.ts';

let spine: Spine;
let folder: string;
beforeAll(async () => {
  spine = await startSpine({ resyncIntervalMs: 1_000 });
  folder = mkdtempSync(join(tmpdir(), 'drover-packed-'));
});
afterAll(async () => {
  await spine.end();
  rmSync(folder, { recursive: true });
});

const logOf = async (id: string): Promise<string> => {
  const [container] = await spine.containers(id);
  if (container === undefined) return '';
  return (await docker.getContainer(container.Id).logs({ stdout: true, stderr: true })).toString('utf8');
};
const scratch = async (): Promise<readonly string[]> => {
  const label = [`drover.install=${spine.install}`, 'drover.role=scratch'];
  return (await docker.listVolumes({ filters: { label } })).Volumes.map(({ Name }) => Name);
};
const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
};
const link = (target: string, path: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(target, join(folder, path));
};

describe('a folder as it was packed', () => {
  it('case B1: runs with its linked module and with what pnpm has linked', async () => {
    const store = 'node_modules/.pnpm';
    write(`${store}/deep@1/node_modules/deep/index.js`, "module.exports = 'deep';");
    write(`${store}/direct@1/node_modules/direct/index.js`, "module.exports = 'direct and ' + require('deep');");
    link('../../deep@1/node_modules/deep', `${store}/direct@1/node_modules/deep`);
    link('.pnpm/direct@1/node_modules/direct', 'node_modules/direct');
    write('lib/common.js', "module.exports = 'common';");
    link('lib/common.js', 'common.js');
    write(
      'main.js',
      `exports.main = async () => { console.log(require('./common.js'), require('direct')); await new Promise(() => setInterval(() => {}, 1000)); };`,
    );
    const archive = await withPacked(folder, await readFolder(folder), ({ file }) => readFile(file));
    await spine.stores.archives.putCode('test/linked/1.0.0', Readable.from([archive]));
    await spine.put('linked', spine.document('linked'));
    await spine.reaches('linked', 'running');
    await expect.poll(() => logOf('linked')).toContain('common direct and deep');
  });
});

describe('room', () => {
  it('case B4, case D11: 290 MiB of code and 100 MiB in /tmp fit into a bot of 96 MiB, and go with it', async () => {
    const code = `
      const fs = require('fs');
      exports.main = async () => {
        process.on('SIGTERM', () => process.exit(0));
        const piece = Buffer.alloc(1024 * 1024, 'x');
        const file = fs.openSync('/tmp/scratch', 'w');
        for (let mib = 0; mib < 100; mib += 1) fs.writeSync(file, piece);
        fs.writeFileSync('/bot/result.json', '{}');
        const mode = (fs.statSync('/tmp').mode & 0o7777).toString(8);
        console.log('fits', fs.statSync('/bot/model.bin').size, fs.statSync('/tmp/scratch').size, mode, process.cwd());
        await new Promise(() => setInterval(() => {}, 1000));
      };`;
    const size = 290 * 1024 ** 2;
    await spine.archives.putCode('test/large/1.0.0', zipOf({ 'main.js': code, 'model.bin': Buffer.alloc(size) }));
    await spine.put('large', spine.document('large', { root: { drover: { memoryMb: 96 } } }));
    await spine.reaches('large', 'running');
    await expect.poll(() => logOf('large')).toContain(`fits ${String(size)} ${String(100 * 1024 ** 2)} 1777 /bot`);
    expect(spine.bot('large')).toMatchObject({ restarts: 0 });

    // Started again by hand: what the former run left in its folder is gone, and it runs as before.
    const [{ Id } = { Id: '' }] = await spine.containers('large');
    const volumes = (await docker.getContainer(Id).inspect()).Mounts.filter(({ Destination }) =>
      ['/bot', '/tmp'].includes(Destination),
    ).map(({ Name }) => Name ?? '');
    expect(volumes).toHaveLength(2);
    expect(await scratch()).toEqual(expect.arrayContaining(volumes));
    await docker.getContainer(Id).restart({ t: 5 });
    await expect.poll(async () => (await logOf('large')).split('fits').length).toBe(3);

    await spine.stores.specs.remove('large', { requestId: 'r', actor: 'test', action: 'delete', at: Date.now() });
    await spine.reaches('large', 'deleted');
    await expect.poll(async () => (await scratch()).filter((name) => volumes.includes(name))).toEqual([]);
  });
});

describe('the code cache', () => {
  it('case E7: with another archive under its name is healed, and the bot runs', async () => {
    await spine.deploy('cached', LOOPING.replace('beat()', "console.log('the true code'); beat()"));
    await spine.reaches('cached', 'running');
    const [{ Id } = { Id: '' }] = await spine.containers('cached');
    const { Mounts, Config, Image } = await docker.getContainer(Id).inspect();
    const cache = Mounts.find(({ Destination }) => Destination === '/var/cache/drover/code');
    expect(cache?.RW).toBe(false);
    const digest = Config.Labels['drover.code-digest'] ?? '';
    const helper = await docker.createContainer({
      Image,
      User: '0',
      Entrypoint: ['sh', '-c', `rm /code/${digest}.zip && echo evil > /code/${digest}.zip`],
      HostConfig: { Binds: [`${cache?.Name ?? ''}:/code`] },
    });
    await helper.start();
    expect(await helper.wait()).toMatchObject({ StatusCode: 0 });
    await helper.remove();

    await docker.getContainer(Id).remove({ force: true, v: true });
    await expect.poll(() => logOf('cached'), { timeout: 120_000 }).toContain('the true code');
    await spine.reaches('cached', 'running');
    const ended = spine.told.flatMap(({ botId, event }) =>
      botId === 'cached' && event.type === 'ContainerExited' ? [event] : [],
    );
    expect(ended).toMatchObject([{ code: 'CODE_NOT_CACHED', blameless: true }]);
  });
});

describe('an archive of other tools', () => {
  it('case D12: with a link and an entry that leads out runs without them, and says so', async () => {
    const archive = rawZip([
      { name: 'main.js', content: LOOPING },
      { name: 'out', content: '/state', mode: 0o120777 },
      { name: '../evil', content: 'x' },
    ]);
    await spine.archives.putCode('test/linking/1.0.0', Readable.from([archive]));
    await spine.put('linking', spine.document('linking'));
    await spine.reaches('linking', 'running');
    const complete = () => spine.bot('linking')?.conditions.find(({ type }) => type === 'CodeComplete');
    await expect.poll(complete).toMatchObject({
      status: 'False',
      reason: 'EntriesSkipped',
      message: 'not unpacked: out is a symbolic link, and links are not made again; ../evil leads out of the folder',
    });
    expect(spine.events('linking').filter((type) => type === 'CodeEntriesSkipped')).toHaveLength(1);
  });
});
