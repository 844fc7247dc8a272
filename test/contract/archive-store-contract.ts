/** What every archive store must do (contract §4). An adapter runs it by handing in how to open and to read one. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArchiveStore } from '../../src/ports/archive-store.ts';
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

export const archiveStoreContract = (name: string, open: () => Promise<ArchiveStoreFixture>): void => {
  describe(`archive store contract: ${name}`, () => {
    let fixture: ArchiveStoreFixture;
    let store: ArchiveStore;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());

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

    it('shows readers the old or the new archive, never a part', async () => {
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

    it.each(['', '/', '/etc/passwd', '..', '../x', 'a/../../x', 'a/..', 'a//b', 'a/', './a', 'a/./b', 'a\u0000b'])(
      'refuses the path %j',
      async (filePath) => {
        const put = await store.putCode(filePath, Readable.from(['x'])).catch((thrown: unknown) => thrown);
        expect(codeOf(put)).toBe('REQUEST_INVALID');
        expect(codeOf(await store.sizeOfCode(filePath).catch((thrown: unknown) => thrown))).toBe('REQUEST_INVALID');
      },
    );
  });
};
