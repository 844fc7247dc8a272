/** What every archive store must do (contract §4). An adapter runs it by handing in how to open and to read one. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArchiveStore, OpenArchive } from '../../src/ports/archive-store.ts';
import { codeOf, oneTo } from './commits.ts';

export interface ArchiveStoreFixture {
  readonly store: ArchiveStore;
  /** The bytes as a bot would get them. */
  content(filePath: string): Promise<Buffer>;
  close(): Promise<void>;
}

const KEY = 'user-1/my bot/1.0.0';

/** Pieces of a stream, with a turn of the event loop between them. */
const slowly = (pieces: readonly (Buffer | Error)[]): Readable =>
  Readable.from(
    (async function* () {
      for (const piece of pieces) {
        await new Promise((resolve) => setImmediate(resolve));
        if (piece instanceof Error) throw piece;
        yield piece;
      }
    })(),
  );

/** `inPlace`: the server itself writes over what others read, which no client can mend. */
export const archiveStoreContract = (
  name: string,
  open: () => Promise<ArchiveStoreFixture>,
  { inPlace = false }: { readonly inPlace?: boolean } = {},
): void => {
  describe(`archive store contract: ${name}`, () => {
    let fixture: ArchiveStoreFixture;
    let store: ArchiveStore;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());

    /** What such a server cannot do is not asked of the store in front of it. */
    const unlessInPlace = (title: string, work: () => Promise<void>): void => {
      if (!inPlace) it(title, work);
    };
    const openNow = async (filePath: string): Promise<OpenArchive> => {
      const opened = await store.openCode(filePath);
      if (opened === undefined) throw new Error(`no archive ${filePath}`);
      return opened;
    };

    it('keeps an archive under its key', async () => {
      const content = randomBytes(3_000_000);
      expect(await store.sizeOfCode(KEY)).toBeUndefined();
      await store.putCode(KEY, Readable.from([content.subarray(0, 1_000_000), content.subarray(1_000_000)]));
      expect(await store.sizeOfCode(KEY)).toBe(content.length);
      expect((await fixture.content(KEY)).equals(content)).toBe(true);
      expect(await store.sizeOfCode('user-1/my bot')).toBeUndefined();
      expect(await store.sizeOfCode(`${KEY}/below`)).toBeUndefined();
    });

    it('keeps an empty archive', async () => {
      await store.putCode(KEY, Readable.from([]));
      expect(await store.sizeOfCode(KEY)).toBe(0);
    });

    it('keeps the old archive whole when an upload breaks off', async () => {
      await store.putCode(KEY, Readable.from([Buffer.from('old')]));
      const broken = store.putCode(KEY, slowly([Buffer.from('half'), new Error('broken off')]));
      expect(codeOf(await broken.catch((thrown: unknown) => thrown))).toBe('ARCHIVE_UNAVAILABLE');
      expect((await fixture.content(KEY)).toString()).toBe('old');
    });

    unlessInPlace('shows readers the old or the new archive, never a part', async () => {
      const whole = oneTo(6).map((n) => Buffer.alloc(400_000, n));
      await store.putCode(KEY, Readable.from(whole.slice(0, 1)));
      const writing = Promise.all(
        whole.map((content) =>
          store.putCode(KEY, slowly(oneTo(8).map((n) => content.subarray((n - 1) * 50_000, n * 50_000)))),
        ),
      );
      let written = false;
      void writing.finally(() => (written = true));
      while (!(written as boolean)) {
        const seen = await fixture.content(KEY);
        expect(whole.some((content) => content.equals(seen))).toBe(true);
      }
      await writing;
    });

    it('gives the whole archive as a stream of the size it tells', async () => {
      expect(await store.openCode(KEY)).toBeUndefined();
      const content = randomBytes(3_000_000);
      await store.putCode(KEY, Readable.from([content]));
      const opened = await openNow(KEY);
      expect(opened.size).toBe(content.length);
      expect((await buffer(opened.content)).equals(content)).toBe(true);
      expect(await store.openCode('user-1/my bot')).toBeUndefined();
    });

    it('gives an empty archive as an empty stream', async () => {
      await store.putCode(KEY, Readable.from([]));
      const opened = await openNow(KEY);
      expect(opened.size).toBe(0);
      expect(await buffer(opened.content)).toHaveLength(0);
    });

    unlessInPlace('gives what was opened to its end while a new archive replaces it', async () => {
      const old = randomBytes(4_000_000);
      await store.putCode(KEY, Readable.from([old]));
      const opened = await openNow(KEY);
      await store.putCode(KEY, Readable.from([Buffer.from('new')]));
      expect((await buffer(opened.content)).equals(old)).toBe(true);
      expect((await fixture.content(KEY)).toString()).toBe('new');
    });

    it('takes no harm from a reader that goes away', async () => {
      const content = randomBytes(4_000_000);
      await store.putCode(KEY, Readable.from([content]));
      const unread = await openNow(KEY);
      unread.content.destroy();
      const half = await openNow(KEY);
      for await (const piece of half.content) {
        expect(piece).toBeInstanceOf(Buffer);
        break;
      }
      expect(half.content.destroyed).toBe(true);
      await expect.poll(() => [unread, half].every((one) => one.content.closed)).toBe(true);
      expect((await buffer((await openNow(KEY)).content)).equals(content)).toBe(true);
    });

    it('takes a source that had failed before', async () => {
      const failed = slowly([new Error('broken off')]);
      const put = store.putCode(KEY, failed).catch((thrown: unknown) => thrown);
      expect(codeOf(await put)).toBe('ARCHIVE_UNAVAILABLE');
      const gone = new Readable({ read: () => undefined });
      gone.destroy();
      expect(codeOf(await store.putCode(KEY, gone).catch((thrown: unknown) => thrown))).toBe('ARCHIVE_UNAVAILABLE');
      expect(await store.sizeOfCode(KEY)).toBeUndefined();
    });

    it('answers', async () => {
      await store.ping();
    });

    it.each(['', '/', '/etc/passwd', '..', '../x', 'a/../../x', 'a/..', 'a//b', 'a/', './a', 'a/./b', 'a\u0000b'])(
      'refuses the path %j',
      async (filePath) => {
        const put = await store.putCode(filePath, Readable.from(['x'])).catch((thrown: unknown) => thrown);
        expect(codeOf(put)).toBe('REQUEST_INVALID');
        expect(codeOf(await store.sizeOfCode(filePath).catch((thrown: unknown) => thrown))).toBe('REQUEST_INVALID');
        expect(codeOf(await store.openCode(filePath).catch((thrown: unknown) => thrown))).toBe('REQUEST_INVALID');
      },
    );
  });
};
