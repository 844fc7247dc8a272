/** Code on its way from the archive store into the code cache: whole, checked, once for all; at no memory; only by who leads. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { afterAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { removeInstall } from '../../scripts/remove-install.ts';
import { DELIVERY } from '../../src/domain/delivery.ts';
import { DroverError } from '../../src/domain/errors.ts';
import type { ArchiveStore, OpenArchive } from '../../src/ports/archive-store.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import { cases } from '../support/full.ts';
import { aSpec } from '../support/given.ts';
import { realEngine } from '../support/real-engine.ts';
import { openSocketProxy } from '../support/socket-proxy.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const MIB = 1_024 * 1_024;
const whole = (content: Buffer): OpenArchive => ({ size: content.length, content: Readable.from([content]) });
/** `size` bytes are promised, `come` come, then `end`. */
const broken = (size: number, come: number, end?: Error): OpenArchive => ({
  size,
  content: Readable.from(
    (async function* () {
      for (let left = come; left > 0; left -= MIB) yield Buffer.alloc(Math.min(left, MIB), 7);
      await Promise.resolve();
      if (end !== undefined) throw end;
    })(),
  ),
});
const zipOf = (name: string, content: Buffer, mode = 0o100644): Promise<Buffer> => {
  const zip = new ZipFile();
  zip.addBuffer(content, name, { compress: false, mode });
  zip.end();
  return buffer(Readable.from(zip.outputStream));
};
const codeOf = (thrown: unknown): unknown => (thrown instanceof DroverError ? thrown.code : thrown);

describe('delivery', () => {
  const install = newInstall();
  afterAll(async () => {
    await removeInstall(docker, install);
  });
  let count = 0;

  /** An engine with this archive, and a bot that would be made of it. `pinned`: whose digest is decided on. */
  const given = (
    pinned: Buffer,
    open: () => OpenArchive | undefined,
    change: Parameters<typeof realEngine>[1] = {},
  ) => {
    count += 1;
    const id = `b${String(count)}`;
    const archives: ArchiveStore = {
      sizeOfCode: () => Promise.resolve(pinned.length),
      openCode: () => Promise.resolve(open()),
      digestOfCode: () =>
        Promise.resolve({ sha256: createHash('sha256').update(pinned).digest('hex'), size: pinned.length }),
      putCode: () => Promise.resolve(),
      ping: () => Promise.resolve(),
    };
    const engine = realEngine({ host: HOST, install, archives }, change);
    const planFor = (bot: string) => ({
      spec: aSpec({ id: bot, image: IMAGE }),
      specHash: 'h',
      incarnation: 1,
      generation: 1,
      attempt: 1,
    });
    const refOf = async (bot: string) => {
      const seen = await engine.observe(bot);
      if (seen.kind !== 'present') throw new Error(`it is ${seen.kind}`);
      return seen.container.ref;
    };
    return { engine, archives, id, planFor, refOf, make: () => engine.ensureContainer(planFor(id)) };
  };
  const isMade = async (engine: Engine, id: string): Promise<boolean> => (await engine.observe(id)).kind === 'present';
  const tools = () =>
    docker.listContainers({ all: true, filters: { label: [`drover.install=${install}`, 'drover.role=tool'] } });

  it('brings the configuration before the start, owned by the bot; the code lies in the cache, read-only', async () => {
    const content = await zipOf('main.js', randomBytes(3 * MIB));
    const { engine, id, make, planFor, refOf } = given(content, () => whole(content));
    await make();
    const ref = await refOf(id);
    await engine.ensureStarted(ref, planFor(id)).catch(() => undefined);
    const container = docker.getContainer(ref.id);
    const digest = createHash('sha256').update(content).digest('hex');
    const unpack = extract();
    const found = new Promise<{ size: number | undefined; mode: number }>((resolve) => {
      unpack.on('entry', ({ size, mode }, stream, next) => {
        resolve({ size, mode: mode & 0o777 });
        stream.resume();
        stream.on('end', next);
      });
    });
    unpack.end(await buffer(await container.getArchive({ path: `${DELIVERY.codeCache}/${digest}.zip` })));
    expect(await found).toEqual({ size: content.length, mode: 0o444 });
    const mount = (await container.inspect()).Mounts.find(({ Destination }) => Destination === DELIVERY.codeCache);
    expect(mount?.RW).toBe(false);
    expect(await tools()).toEqual([]);
  });

  it('is done once for all bots that wait for it, and not again after a restart of the controller', async () => {
    const content = await zipOf('main.js', randomBytes(MIB));
    let opened = 0;
    const open = (): OpenArchive => {
      opened += 1;
      return whole(content);
    };
    const { engine, planFor } = given(content, open);
    await Promise.all(['w1', 'w2', 'w3', 'w4', 'w5'].map((bot) => engine.ensureContainer(planFor(bot))));
    expect(opened).toBe(1);
    const again = given(content, open);
    await again.make();
    expect(opened).toBe(1);
    expect(await isMade(again.engine, again.id)).toBe(true);
  });

  it.each<[string, (content: Buffer) => OpenArchive | undefined, string, string]>([
    ['is not there any more', () => undefined, 'ARCHIVE_MISSING', 'there is no code archive'],
    [
      'breaks off',
      () => broken(20 * MIB, 9 * MIB, new DroverError('ARCHIVE_UNAVAILABLE', 'gone')),
      'ARCHIVE_UNAVAILABLE',
      'gone',
    ],
    ['ends too early', () => broken(20 * MIB, 9 * MIB), 'ARCHIVE_UNAVAILABLE', 'it ended after'],
    [
      'is longer than it said',
      () => broken(MIB, 5 * MIB),
      'ARCHIVE_UNAVAILABLE',
      'it is longer than its announced size',
    ],
    [
      'R33: is another one than was decided on',
      (content) => whole(Buffer.concat([content, Buffer.from('x')])),
      'CODE_INVALID',
      '',
    ],
  ])('of an archive that %s starts nothing, and is mended by the next try', async (_name, open, code, words) => {
    const content = await zipOf('main.js', randomBytes(MIB));
    let next = (): OpenArchive | undefined => open(content);
    const { make, engine, id } = given(content, () => next());
    const refusal = await make().catch((thrown: unknown) => thrown);
    expect(codeOf(refusal)).toBe(code);
    expect((refusal as Error).message).toContain(words);
    expect(await isMade(engine, id)).toBe(false);
    expect(await tools()).toEqual([]);
    next = () => whole(content);
    await make();
    expect(await isMade(engine, id)).toBe(true);
  });

  it.each<[string, () => Promise<Buffer>, string]>([
    ['R33: is empty', () => Promise.resolve(Buffer.alloc(0)), 'ARCHIVE_CORRUPT'],
    ['R33: is no zip', () => Promise.resolve(randomBytes(5_000)), 'ARCHIVE_CORRUPT'],
    ['R33: is cut off', async () => (await zipOf('a.js', randomBytes(50_000))).subarray(0, 40_000), 'ARCHIVE_CORRUPT'],
  ])('an archive that %s is refused at the door', async (_name, make, code) => {
    const content = await make();
    const bot = given(content, () => whole(content));
    const thrown: unknown = await bot.make().catch((error: unknown) => error);
    expect(codeOf(thrown)).toBe(code);
    expect(await isMade(bot.engine, bot.id)).toBe(false);
  });

  it.each<[string, () => Promise<Buffer>]>([
    ['link', () => zipOf('link', Buffer.from('/etc/passwd'), 0o120777)],
    ['device', () => zipOf('device', Buffer.alloc(0), 0o060644)],
  ])(
    'R34: an archive that holds a %s is taken, because its bot leaves the entry out (contract §4)',
    async (_name, make) => {
      const content = await make();
      const bot = given(content, () => whole(content));
      await bot.make();
      expect(await isMade(bot.engine, bot.id)).toBe(true);
    },
  );

  it('is given up when nothing moves, from either side', async () => {
    const content = await zipOf('main.js', randomBytes(MIB));
    const silent: OpenArchive = { size: 10, content: new Readable({ read: () => undefined }) };
    const first = given(content, () => silent, { idleMs: 1_500 });
    expect(codeOf(await first.make().catch((thrown: unknown) => thrown))).toBe('ENGINE_TIMEOUT');
    expect(await isMade(first.engine, first.id)).toBe(false);
    const proxy = await openSocketProxy();
    try {
      const second = given(content, () => whole(content));
      await second.make();
      const slow = realEngine({ host: proxy.host, install, archives: second.archives }, { deadlineMs: 1_500 });
      proxy.stall = /^PUT .*\/archive/;
      const ref = await second.refOf(second.id);
      const started = slow.ensureStarted(ref, second.planFor(second.id));
      expect(codeOf(await started.catch((thrown: unknown) => thrown))).toBe('ENGINE_TIMEOUT');
      expect((await docker.getContainer(ref.id).inspect()).State.Status).toBe('created');
    } finally {
      await proxy.close();
    }
  });

  it('of what is large costs next to no memory', async () => {
    const size = cases(150, 300);
    const content = await zipOf('big', Buffer.alloc(size * MIB));
    const { make } = given(content, () => ({
      size: content.length,
      content: Readable.from(
        (function* () {
          for (let at = 0; at < content.length; at += MIB) yield content.subarray(at, at + MIB);
        })(),
      ),
    }));
    let most = 0;
    const before = process.memoryUsage().rss;
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 20);
    await make();
    clearInterval(watching);
    expect(most).toBeLessThan((size * MIB) / 3);
  });

  it('and everything else that changes something is refused to who does not lead', async () => {
    let leads = true;
    const mayAct = (): void => {
      if (!leads) throw new DroverError('LEASE_LOST', 'not me');
    };
    const content = await zipOf('main.js', randomBytes(MIB));
    const { engine, id, make, planFor, refOf } = given(content, () => whole(content), { mayAct });
    await make();
    const ref = await refOf(id);
    leads = false;
    const tool = { botId: id, incarnation: 1, attempt: 1, image: null, args: ['version'], timeoutMs: 5_000 };
    const attempts = [
      engine.ensureStarted(ref, planFor(id)),
      engine.ensureContainer(planFor('other')),
      engine.ensureSignalled(ref, 'SIGTERM'),
      engine.ensureRemoved(ref, true),
      engine.ensureSetAside(ref),
      engine.deliverAgain(ref, planFor(id)),
      engine.runTool(tool),
      engine.removeVolume('no-such-volume'),
    ];
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.map((outcome) => codeOf(outcome.status === 'rejected' ? outcome.reason : undefined))).toEqual(
      attempts.map(() => 'LEASE_LOST'),
    );
    expect((await docker.getContainer(ref.id).inspect()).State.Status).toBe('created');
    expect((await engine.observe('other')).kind).toBe('absent');
  });
});
