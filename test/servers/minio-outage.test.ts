/** An object store that is away, dies, or freezes: an error of the table, and work again once it is back. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { startOwnObjectStore } from '../../scripts/servers/minio.ts';
import type { DroverError } from '../../src/domain/errors.ts';
import type { OpenArchive } from '../../src/ports/archive-store.ts';
import {
  BUCKETS,
  freshBuckets,
  isS3rver,
  minioEnv,
  minioTest as it,
  noStore,
  plainClient,
  refusalOf,
  storeAt,
  unfinishedUploads,
} from './minio-support.ts';
import { startOr, tellStandIn } from './started.ts';

const UNAVAILABLE = { code: 'ARCHIVE_UNAVAILABLE' };
const KEY = 'user-1/bot/1.0.0';
const MIB = 1_024 * 1_024;
/** More than the buffers of sockets hold. s3rver keeps no more than this. */
const LARGE = (isS3rver ? 7 : 32) * MIB;

const away = async (attempt: Promise<unknown>): Promise<DroverError> => {
  const error = await refusalOf(attempt);
  expect(error).toMatchObject(UNAVAILABLE);
  return error;
};

const opened = async (store: ReturnType<typeof storeAt>): Promise<OpenArchive> => {
  const archive = await store.openCode(KEY);
  if (archive === undefined) throw new Error('no archive');
  return archive;
};

/** An archive in pieces of 1 MiB; `half` is called in its middle. */
const inPieces = async function* (half: () => unknown): AsyncGenerator<Buffer> {
  for (let piece = 0; piece < 40; piece += 1) {
    if (piece === 20) await half();
    yield randomBytes(MIB);
  }
};

const found = await startOr(() => startOwnObjectStore({ progress: () => undefined }));
const none = typeof found === 'string' ? found : undefined;
const isMinio = typeof found !== 'string' && found.instead === undefined;
const server = () => {
  if (typeof found === 'string') throw new Error(found);
  return found;
};
const ownEnv = typeof found === 'string' ? {} : found.env;
afterAll(async () => {
  if (typeof found !== 'string') await found.stop();
});

describe.skipIf(none !== undefined)(none === undefined ? 'an object store that dies' : `outages: ${none}`, () => {
  if (none === undefined) tellStandIn(server());

  it('makes the buckets under the names it was given, and no others', async () => {
    const buckets = freshBuckets();
    const store = storeAt(ownEnv, { buckets });
    await store.putCode(KEY, Readable.from(['x']));
    const names = (await plainClient(ownEnv).listBuckets()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.values(buckets)));
    expect(names.filter((name) => Object.values(BUCKETS).includes(name))).toEqual([]);
  });

  it('needs no server when it is made, and works once there is one', async () => {
    await server().kill('SIGKILL');
    const store = storeAt(ownEnv, { buckets: freshBuckets() });
    const putCode = () => store.putCode(KEY, Readable.from(['x']));
    for (const attempt of [store.ping, () => store.sizeOfCode(KEY), () => store.openCode(KEY), putCode]) {
      expect((await away(attempt())).message).toContain('ECONNREFUSED');
    }
    await server().start();
    expect(await store.sizeOfCode(KEY)).toBeUndefined();
    await store.putCode(KEY, Readable.from(['x']));
    await store.ping();
    expect(await store.sizeOfCode(KEY)).toBe(1);
  });

  it('fails a download in its middle, and gives all of it afterwards', async () => {
    const content = randomBytes(LARGE);
    const store = storeAt(ownEnv, { buckets: freshBuckets() });
    await store.putCode(KEY, Readable.from([content]));
    const { content: stream } = await opened(store);
    let seen = 0;
    const read = async (): Promise<void> => {
      for await (const piece of stream as AsyncIterable<Buffer>) {
        if (seen === 0) await server().kill('SIGKILL');
        seen += piece.length;
      }
    };
    await away(read());
    expect(seen).toBeLessThan(content.length);
    await away(store.openCode(KEY));
    await server().start();
    expect((await buffer((await opened(store)).content)).equals(content)).toBe(true);
  });

  it.skipIf(!isMinio)('fails an upload in its middle, and keeps the old archive', async () => {
    const store = storeAt(ownEnv, { buckets: freshBuckets() });
    await store.putCode(KEY, Readable.from(['old']));
    await away(store.putCode(KEY, Readable.from(inPieces(() => server().kill('SIGKILL')))));
    await server().start();
    expect(await store.sizeOfCode(KEY)).toBe(3);
    await store.putCode(KEY, Readable.from(['newer']));
    expect(await store.sizeOfCode(KEY)).toBe(5);
  });
});

// Nothing comes from it any more, and nobody says so. Each test waits for timeouts, on a way to the server of its own.
describe.skipIf(noStore !== undefined).concurrent(noStore ?? 'an object store that freezes', () => {
  const through = ({ address }: { readonly address: string }, buckets: typeof BUCKETS) =>
    storeAt({ ...minioEnv, MINIO_ENDPOINT: address }, { buckets });

  it('fails every call, and works once it is thawed', async ({ buckets, proxy }) => {
    const store = through(proxy, buckets);
    const unused = through(proxy, freshBuckets());
    await store.putCode(KEY, Readable.from(['x']));
    proxy.freeze();
    const errors = await Promise.all([
      away(store.sizeOfCode(KEY)),
      away(store.openCode(KEY)),
      away(store.putCode(KEY, Readable.from([randomBytes(20 * MIB)]))),
      away(unused.ping()),
      away(unused.putCode(KEY, Readable.from(['x']))),
    ]);
    for (const { message } of errors) expect(message).toContain('no answer within 8 s');
    proxy.restore();
    await store.ping();
    await unused.ping();
    expect(await store.sizeOfCode(KEY)).toBe(1);
  });

  it('fails a download in its middle', async ({ buckets, proxy }) => {
    const content = randomBytes(LARGE);
    const store = through(proxy, buckets);
    await store.putCode(KEY, Readable.from([content]));
    const { content: stream } = await opened(store);
    const read = async (): Promise<void> => {
      for await (const piece of stream as AsyncIterable<Buffer>) if (piece.length > 0) proxy.freeze();
    };
    expect((await away(read())).message).toContain('no data for 12 s');
    proxy.restore();
    expect((await buffer((await opened(store)).content)).equals(content)).toBe(true);
  });

  it.skipIf(isS3rver)(
    'fails an upload in its middle, and leaves nothing of it',
    async ({ client, buckets, proxy, expect }) => {
      const store = through(proxy, buckets);
      const error = await away(store.putCode(KEY, Readable.from(inPieces(proxy.freeze))));
      expect(error.message).toContain('no answer within 8 s');
      proxy.restore();
      await store.putCode(KEY, Readable.from(['x']));
      expect(await store.sizeOfCode(KEY)).toBe(1);
      await expect.poll(() => unfinishedUploads(client, buckets.code)).toBe(0);
    },
  );

  it('counts time only while it waits for the server: a slow reader does no harm', async ({ buckets }) => {
    const content = randomBytes(LARGE);
    const store = storeAt(minioEnv, { buckets });
    await store.putCode(KEY, Readable.from([content]));
    const { content: stream } = await opened(store);
    // Longer than an answer, or a piece of an archive, may take; all of it beside the timeouts of the others.
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
