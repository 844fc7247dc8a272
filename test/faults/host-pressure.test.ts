/** R32: the disk under the engine is full. An engine of its own on a small file system stands for the host. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerAt } from '../../scripts/docker-at.ts';
import { until } from '../../scripts/until.ts';
import { docker, IMAGE, startSpine, type Spine } from '../support/spine.ts';
import { COUNTING } from '../support/state-bots.ts';

/** Mounting a file system and running an engine takes root. */
const isRoot = process.getuid?.() === 0;
const SIZE_MB = 2_500;

let folder: string;
let engine: ChildProcess | undefined;
let spine: Spine;
/** What the service was last told of the disk. */
let seen: number | undefined;
const at = (name: string): string => join(folder, name);
const free = (): number => {
  const { bavail, blocks } = statfsSync(at('root'));
  return bavail / blocks;
};

describe.skipIf(!isRoot)('a full disk under the engine', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'drover-disk-'));
    execFileSync('truncate', ['-s', `${String(SIZE_MB)}M`, at('disk')]);
    execFileSync('mkfs.ext4', ['-q', '-m', '0', at('disk')]);
    mkdirSync(at('root'));
    execFileSync('mount', ['-o', 'loop', at('disk'), at('root')]);
    const args = ['--data-root', at('root'), '--exec-root', at('exec'), '-H', `unix://${at('sock')}`];
    // In a network of its own: an engine takes the bridges of this machine for its own, and removes them.
    const network = ['--net', 'dockerd', '--bridge', 'none'];
    engine = spawn('unshare', [...network, ...args, '--pidfile', at('pid'), '--storage-driver', 'overlay2'], {
      stdio: 'ignore',
    });
    const small = dockerAt(`unix://${at('sock')}`);
    const answers = (): Promise<boolean> => small.ping().then(Boolean, () => false);
    await until(answers, { every: 200, otherwise: () => 'the engine on the small disk does not answer' });
    const image = await docker.getImage(IMAGE).get();
    await new Promise<void>((resolve, reject) => {
      void small.loadImage(image).then((stream) => {
        stream.on('end', resolve).on('error', reject).resume();
      }, reject);
    });
    spine = await startSpine({
      host: `unix://${at('sock')}`,
      resyncIntervalMs: 1_000,
      wrap: (real) => ({ ...real, diskFree: async () => (seen = await real.diskFree()) }),
    });
  }, 180_000);

  afterAll(async () => {
    await spine.end();
    engine?.kill('SIGTERM');
    await new Promise((resolve) => engine?.once('exit', resolve));
    execFileSync('umount', ['-l', at('root')]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('R32: nothing starts, what runs goes on and can be stopped, and starts come with the space', async () => {
    await spine.deploy('running', COUNTING);
    await spine.reaches('running', 'running');
    const spare = Math.floor((free() * SIZE_MB - 0.02 * SIZE_MB) * 0.98);
    execFileSync('fallocate', ['-l', `${String(spare)}M`, at('root/filler')]);
    expect(free()).toBeLessThan(0.05);
    // It looks now and then: the bot that runs is looked at by each tick.
    await expect.poll(() => seen).toBeLessThan(0.05);
    await spine.deploy('held', COUNTING);
    await expect.poll(() => spine.events('held')).toContain('HostPressureFound');
    const condition = spine.bot('held')?.conditions.find(({ type }) => type === 'Progressing');
    expect(condition).toMatchObject({ reason: 'HostPressure' });
    expect(await spine.containers('held')).toEqual([]);
    expect(spine.bot('running')?.state).toBe('running');
    await spine.put('running', spine.document('running', { config: { enabled: false } }));
    await spine.reaches('running', 'stopped');
    rmSync(at('root/filler'));
    await spine.reaches('held', 'running');
  }, 180_000);
});
