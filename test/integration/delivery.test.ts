/** Code on its way from the archive store through the engine: whole, or the bot does not start; at no memory; only by who leads. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { afterAll, describe, expect, it } from 'vitest';
import { removeInstall } from '../../scripts/remove-install.ts';
import { DELIVERY } from '../../src/domain/delivery.ts';
import { DroverError } from '../../src/domain/errors.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import type { ArchiveStore, OpenArchive } from '../../src/ports/archive-store.ts';
import { aSpec } from '../support/given.ts';
import { realEngine } from '../support/real-engine.ts';
import { openSocketProxy } from '../support/socket-proxy.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';

const MIB = 1_024 * 1_024;

describe('delivery', () => {
  const install = `t${randomBytes(4).toString('hex')}`;
  afterAll(async () => {
    await removeInstall(docker, install);
  });
  let count = 0;

  /** A container that never ran, and the engine that would start it with this archive. */
  const given = async (open: () => OpenArchive | undefined, change: Parameters<typeof realEngine>[1] = {}) => {
    count += 1;
    const id = `b${String(count)}`;
    const archives: ArchiveStore = {
      sizeOfCode: () => Promise.resolve(1),
      openCode: () => Promise.resolve(open()),
      putCode: () => Promise.resolve(),
      ping: () => Promise.resolve(),
    };
    const engine = realEngine({ host: HOST, install, archives }, change);
    const spec = aSpec({ id, image: IMAGE });
    const plan = { spec, specHash: 'h', incarnation: 1, generation: 1, attempt: 1 };
    await engine.ensureContainer(plan);
    const seen = await engine.observe(id);
    if (seen.kind !== 'present') throw new Error(`it is ${seen.kind}`);
    const { ref } = seen.container;
    return { engine, start: () => engine.ensureStarted(ref, plan), ref, id, container: docker.getContainer(ref.id) };
  };
  const codeOf = (thrown: unknown): unknown => (thrown instanceof DroverError ? thrown.code : thrown);
  const neverRan = async (engine: Engine, id: string): Promise<boolean> => {
    const seen = await engine.observe(id);
    return seen.kind === 'present' && seen.container.status === 'created';
  };
  /** `size` bytes of which only `come` come, then `end`. */
  const archive = (size: number, come: number, end?: Error): OpenArchive => ({
    size,
    content: Readable.from(
      (async function* () {
        for (let left = come; left > 0; left -= MIB) yield Buffer.alloc(Math.min(left, MIB), 7);
        await Promise.resolve();
        if (end !== undefined) throw end;
      })(),
    ),
  });

  it('brings the archive and the configuration in one go, owned by the bot, before the start', async () => {
    const { start, container } = await given(() => archive(3 * MIB + 17, 3 * MIB + 17));
    await start();
    const found = new Map<string, { size: number; uid: number; mode: number }>();
    for (const path of [DELIVERY.codeArchive, DELIVERY.configFile]) {
      const unpack = extract();
      unpack.on('entry', ({ name, size, uid, mode }, stream, next) => {
        found.set(name, { size, uid, mode: mode & 0o777 });
        stream.resume();
        stream.on('end', () => {
          next();
        });
      });
      unpack.end(await buffer(await container.getArchive({ path })));
      await new Promise<void>((resolve) => {
        unpack.once('finish', () => {
          resolve();
        });
      });
    }
    expect(found.get('code.zip')).toEqual({ size: 3 * MIB + 17, uid: 1_000, mode: 0o444 });
    expect(found.get('config.json')).toMatchObject({ uid: 1_000, mode: 0o400 });
  });

  it.each<[string, () => OpenArchive | undefined, string]>([
    ['is not there any more', () => undefined, 'ARCHIVE_MISSING'],
    [
      'breaks off',
      () => archive(20 * MIB, 9 * MIB, new DroverError('ARCHIVE_UNAVAILABLE', 'gone')),
      'ARCHIVE_UNAVAILABLE',
    ],
    ['ends too early', () => archive(20 * MIB, 9 * MIB), 'ARCHIVE_UNAVAILABLE'],
    ['is longer than it said', () => archive(MIB, 5 * MIB), 'ARCHIVE_UNAVAILABLE'],
  ])('of an archive that %s starts nothing, and is mended by the next try', async (_name, open, code) => {
    let next: () => OpenArchive | undefined = open;
    const { start, engine, id, container } = await given(() => next());
    expect(codeOf(await start().catch((thrown: unknown) => thrown))).toBe(code);
    expect(await neverRan(engine, id)).toBe(true);
    next = () => archive(MIB, MIB);
    await start();
    expect((await container.inspect()).State.StartedAt).not.toMatch(/^0001/);
  });

  it('is given up when nothing moves, from either side', async () => {
    const silent: OpenArchive = { size: 10, content: new Readable({ read: () => undefined }) };
    const first = await given(() => silent, { deadlineMs: 1_500 });
    expect(codeOf(await first.start().catch((thrown: unknown) => thrown))).toBe('ENGINE_TIMEOUT');
    expect(await neverRan(first.engine, first.id)).toBe(true);
    const proxy = await openSocketProxy();
    try {
      const second = await given(() => archive(MIB, MIB), { deadlineMs: 1_500 });
      const slow = realEngine(
        {
          host: proxy.host,
          install,
          archives: {
            sizeOfCode: () => Promise.resolve(1),
            openCode: () => Promise.resolve(archive(MIB, MIB)),
            putCode: () => Promise.resolve(),
            ping: () => Promise.resolve(),
          },
        },
        { deadlineMs: 1_500 },
      );
      proxy.stall = /^PUT .*\/archive/;
      const spec = aSpec({ id: second.id, image: IMAGE });
      const plan = { spec, specHash: 'h', incarnation: 1, generation: 1, attempt: 1 };
      expect(codeOf(await slow.ensureStarted(second.ref, plan).catch((thrown: unknown) => thrown))).toBe(
        'ENGINE_TIMEOUT',
      );
      expect(await neverRan(second.engine, second.id)).toBe(true);
    } finally {
      await proxy.close();
    }
  });

  it('of 300 MiB costs next to no memory', async () => {
    const { start } = await given(() => archive(300 * MIB, 300 * MIB));
    let most = 0;
    const before = process.memoryUsage().rss;
    const watching = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 20);
    await start();
    clearInterval(watching);
    expect(most).toBeLessThan(100 * MIB);
  });

  it('and everything else that changes something is refused to who does not lead', async () => {
    let leads = true;
    const mayAct = (): void => {
      if (!leads) throw new DroverError('LEASE_LOST', 'not me');
    };
    const { engine, start, ref, id } = await given(() => archive(MIB, MIB), { mayAct });
    leads = false;
    const spec = aSpec({ id: 'other', image: IMAGE });
    const attempts = [
      start(),
      engine.ensureContainer({ spec, specHash: 'h', incarnation: 1, generation: 1, attempt: 1 }),
      engine.ensureSignalled(ref, 'SIGTERM'),
      engine.ensureRemoved(ref, true),
      engine.ensureSetAside(ref),
    ];
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.map((outcome) => codeOf(outcome.status === 'rejected' ? outcome.reason : undefined))).toEqual(
      attempts.map(() => 'LEASE_LOST'),
    );
    expect(await neverRan(engine, id)).toBe(true);
    expect((await engine.observe('other')).kind).toBe('absent');
  });
});
