/** An object store that is away, dies, or freezes: an error of the table in time, and work again once it is back. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { startOwnObjectStore } from '../../scripts/servers/minio.ts';
import type { OpenArchive } from '../../src/ports/archive-store.ts';
import { BUCKETS, freshBuckets, plainClient, refusalOf, storeAt } from './minio-support.ts';
import { startOr, tellStandIn } from './started.ts';

const IN_TIME_MS = 15_000;
const UNAVAILABLE = { code: 'ARCHIVE_UNAVAILABLE' };
const KEY = 'user-1/bot/1.0.0';
const MIB = 1_024 * 1_024;

const found = await startOr(() => startOwnObjectStore({ progress: () => undefined }));
const none = typeof found === 'string' ? found : undefined;
const isMinio = typeof found !== 'string' && found.instead === undefined;
const server = () => {
  if (typeof found === 'string') throw new Error(found);
  return found;
};
const env = typeof found === 'string' ? {} : found.env;
afterAll(async () => {
  if (typeof found !== 'string') await found.stop();
});

const inTime = async (attempt: Promise<unknown>): Promise<void> => {
  const from = Date.now();
  expect(await refusalOf(attempt)).toMatchObject(UNAVAILABLE);
  expect(Date.now() - from).toBeLessThan(IN_TIME_MS);
};

describe.skipIf(none !== undefined)(none === undefined ? 'object store outages' : `outages: ${none}`, () => {
  if (none === undefined) tellStandIn(server());
  afterEach(() => {
    server().thaw();
  });

  const opened = async (store: ReturnType<typeof storeAt>): Promise<OpenArchive> => {
    const archive = await store.openCode(KEY);
    if (archive === undefined) throw new Error('no archive');
    return archive;
  };

  it('makes the buckets under the names it was given, and no others', async () => {
    const buckets = freshBuckets();
    const store = storeAt(env, { buckets });
    await store.putCode(KEY, Readable.from(['x']));
    const names = (await plainClient(env).listBuckets()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.values(buckets)));
    expect(names.filter((name) => Object.values(BUCKETS).includes(name))).toEqual([]);
  });

  it('needs no server when it is made, and works once there is one', async () => {
    await server().kill('SIGKILL');
    const store = storeAt(env, { buckets: freshBuckets() });
    const from = Date.now();
    const putCode = () => store.putCode(KEY, Readable.from(['x']));
    for (const attempt of [store.ping, () => store.sizeOfCode(KEY), () => store.openCode(KEY), putCode]) {
      expect(await refusalOf(attempt())).toMatchObject(UNAVAILABLE);
    }
    expect(Date.now() - from).toBeLessThan(IN_TIME_MS);
    await server().start();
    expect(await store.sizeOfCode(KEY)).toBeUndefined();
    await store.putCode(KEY, Readable.from(['x']));
    await store.ping();
    expect(await store.sizeOfCode(KEY)).toBe(1);
  });

  it('fails a download in whose middle the server dies, and gives all of it afterwards', async () => {
    const content = randomBytes((isMinio ? 64 : 7) * MIB);
    const store = storeAt(env, { buckets: freshBuckets() });
    await store.putCode(KEY, Readable.from([content]));
    const { content: stream } = await opened(store);
    let seen = 0;
    const read = async (): Promise<void> => {
      for await (const piece of stream as AsyncIterable<Buffer>) {
        if (seen === 0) await server().kill('SIGKILL');
        seen += piece.length;
      }
    };
    await inTime(read());
    expect(seen).toBeLessThan(content.length);
    await inTime(store.openCode(KEY));
    await server().start();
    expect((await buffer((await opened(store)).content)).equals(content)).toBe(true);
  });

  it.skipIf(!isMinio)('fails an upload in whose middle the server dies, and keeps the old archive', async () => {
    const store = storeAt(env, { buckets: freshBuckets() });
    await store.putCode(KEY, Readable.from(['old']));
    const source = async function* (): AsyncGenerator<Buffer> {
      for (let part = 0; part < 40; part += 1) {
        if (part === 20) await server().kill('SIGKILL');
        yield randomBytes(MIB);
      }
    };
    await inTime(store.putCode(KEY, Readable.from(source())));
    await server().start();
    expect(await store.sizeOfCode(KEY)).toBe(3);
    await store.putCode(KEY, Readable.from(['newer']));
    expect(await store.sizeOfCode(KEY)).toBe(5);
  });

  it('fails every call on a frozen server in time, and works once it is thawed', async () => {
    const store = storeAt(env, { buckets: freshBuckets() });
    const unused = storeAt(env, { buckets: freshBuckets() });
    await store.putCode(KEY, Readable.from(['x']));
    server().freeze();
    // The signal takes a moment to reach all its threads.
    await sleep(200);
    await Promise.all([
      inTime(store.sizeOfCode(KEY)),
      inTime(store.openCode(KEY)),
      inTime(store.putCode(KEY, Readable.from([randomBytes(20 * MIB)]))),
      inTime(unused.ping()),
      inTime(unused.putCode(KEY, Readable.from(['x']))),
    ]);
    server().thaw();
    await store.ping();
    await unused.ping();
    expect(await store.sizeOfCode(KEY)).toBe(1);
  });

  it('fails a download in whose middle the server freezes, in time', async () => {
    const content = randomBytes((isMinio ? 64 : 7) * MIB);
    const store = storeAt(env, { buckets: freshBuckets() });
    await store.putCode(KEY, Readable.from([content]));
    const { content: stream } = await opened(store);
    const read = async (): Promise<void> => {
      for await (const piece of stream as AsyncIterable<Buffer>) if (piece.length > 0) server().freeze();
    };
    await inTime(read());
    server().thaw();
    expect((await buffer((await opened(store)).content)).equals(content)).toBe(true);
  });

  it.skipIf(!isMinio)(
    'fails an upload in whose middle the server freezes, in time, and leaves nothing of it',
    async () => {
      const buckets = freshBuckets();
      const store = storeAt(env, { buckets });
      const source = async function* (): AsyncGenerator<Buffer> {
        for (let part = 0; part < 40; part += 1) {
          if (part === 20) server().freeze();
          yield await Promise.resolve(randomBytes(MIB));
        }
      };
      await inTime(store.putCode(KEY, Readable.from(source())));
      server().thaw();
      await store.putCode(KEY, Readable.from(['x']));
      expect(await store.sizeOfCode(KEY)).toBe(1);
      await expect
        .poll(
          async () => (await plainClient(env).listIncompleteUploadsQuery(buckets.code, '', '', '', '')).uploads.length,
        )
        .toBe(0);
    },
  );

  it('takes time only while it waits for the server: a slow reader does no harm', async () => {
    const content = randomBytes((isMinio ? 32 : 7) * MIB);
    const store = storeAt(env, { buckets: freshBuckets() });
    await store.putCode(KEY, Readable.from([content]));
    const { content: stream } = await opened(store);
    await sleep(14_000);
    expect((await buffer(stream)).equals(content)).toBe(true);
  });
});

describe('an endpoint where nobody listens', () => {
  it('is unavailable at once', async () => {
    const store = storeAt({
      MINIO_ENDPOINT: `127.0.0.1:${String(await freePort())}`,
      MINIO_ACCESS_KEY: 'a',
      MINIO_SECRET_KEY: 'b',
    });
    const error = await refusalOf(store.ping());
    expect(error).toMatchObject(UNAVAILABLE);
    expect(error.message).toMatch(/127\.0\.0\.1:\d+.*ECONNREFUSED/);
  });
});
