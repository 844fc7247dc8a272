/** What every store of a bot's state must do (contract §4; features E2, E4). */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { StateArchives } from '../../src/ports/state-archives.ts';

export interface StateArchivesFixture {
  /** An empty store of a bot that nobody has used yet. */
  open(): Promise<StateArchives>;
  /** As somebody else writes `state.tar.gz`. */
  writeOutside(archives: StateArchives, content: string): Promise<void>;
  close(): Promise<void>;
}

const id = (attempt: number, sequence: number) => ({ attempt, sequence });
const from = (content: string): Readable => Readable.from([Buffer.from(content)]);

export const stateArchivesContract = (name: string, make: () => Promise<StateArchivesFixture>): void => {
  describe(`${name} keeps state`, async () => {
    const fixture = await make();
    let archives: StateArchives;
    beforeEach(async () => {
      archives = await fixture.open();
    });
    afterAll(() => fixture.close());

    const put = async (attempt: number, sequence: number, content = `${String(attempt)}/${String(sequence)}`) => {
      await archives.put(id(attempt, sequence), from(content));
      await archives.putManifest(id(attempt, sequence), `{"of":"${content}"}`);
    };
    const contentOf = async (attempt: number, sequence: number): Promise<string | undefined> => {
      const opened = await archives.open(id(attempt, sequence));
      return opened === undefined ? undefined : text(opened.content);
    };

    it('has nothing at first, and says so without an error', async () => {
      expect(await archives.list()).toEqual([]);
      expect(await archives.manifest(id(1, 1))).toBeUndefined();
      expect(await archives.open(id(1, 1))).toBeUndefined();
      expect(await archives.sizeOf(id(1, 1))).toBeUndefined();
      expect(await archives.legacy()).toBeUndefined();
      expect(await archives.openLegacy()).toBeUndefined();
      expect(await archives.choice()).toBeUndefined();
    });
    it('gives back what was put, in the order of starts and numbers', async () => {
      for (const [attempt, sequence] of [
        [2, 1],
        [1, 10],
        [1, 9],
        [10, 1],
      ] as const) {
        await put(attempt, sequence);
      }
      expect(await archives.list()).toEqual([id(1, 9), id(1, 10), id(2, 1), id(10, 1)]);
      expect(await contentOf(1, 10)).toBe('1/10');
      expect(await archives.sizeOf(id(1, 10))).toBe(4);
      expect(await archives.manifest(id(10, 1))).toBe('{"of":"10/1"}');
    });
    it('takes nothing for a snapshot before its manifest is there', async () => {
      await archives.put(id(1, 1), from('half a thing'));
      expect(await archives.list()).toEqual([]);
    });
    it('tells archives that were never finished, or half removed, from snapshots', async () => {
      await put(1, 1);
      await archives.put(id(1, 2), from('half a thing'));
      expect(await archives.strays()).toEqual([id(1, 2)]);
      await archives.remove(id(1, 2));
      expect(await archives.strays()).toEqual([]);
    });
    it('keeps several parts, byte for byte', async () => {
      const content = Buffer.alloc(13 * 1_024 ** 2, 'abcdefg');
      await archives.put(id(1, 1), Readable.from([content.subarray(0, 6_000_000), content.subarray(6_000_000)]));
      expect(await archives.sizeOf(id(1, 1))).toBe(content.length);
      const opened = await archives.open(id(1, 1));
      expect(await text(opened?.content ?? from(''))).toBe(content.toString());
    });
    it('a source that fails leaves nothing behind', async () => {
      const failing = Readable.from(
        (async function* () {
          yield Buffer.alloc(7 * 1_024 ** 2);
          await Promise.resolve();
          throw new Error('the tree went away');
        })(),
      );
      await expect(archives.put(id(1, 1), failing)).rejects.toThrow();
      expect(await archives.open(id(1, 1))).toBeUndefined();
    });
    it('forgets what is removed, once or twice', async () => {
      await put(1, 1);
      await archives.remove(id(1, 1));
      await archives.remove(id(1, 1));
      expect(await archives.list()).toEqual([]);
      expect(await archives.open(id(1, 1))).toBeUndefined();
    });
    it('makes a snapshot the archive of the reference’s readers, and knows it again as its own', async () => {
      await put(1, 1, 'first');
      await put(1, 2, 'second');
      expect(await archives.promote(id(1, 1), undefined)).toBe(true);
      expect(await archives.promote(id(1, 2), undefined)).toBe(true);
      expect((await archives.legacy())?.snapshot).toEqual(id(1, 2));
      expect(await text((await archives.openLegacy())?.content ?? from(''))).toBe('second');
    });
    it('never writes over what somebody else wrote, unless it was taken over', async () => {
      await put(1, 1);
      await archives.promote(id(1, 1), undefined);
      await fixture.writeOutside(archives, 'edited');
      const edited = await archives.legacy();
      expect(edited?.snapshot).toBeUndefined();
      expect(await archives.promote(id(1, 1), undefined)).toBe(false);
      expect(await archives.promote(id(1, 1), 'another etag')).toBe(false);
      expect(await text((await archives.openLegacy())?.content ?? from(''))).toBe('edited');
      expect(await archives.promote(id(1, 1), edited?.etag)).toBe(true);
      expect((await archives.legacy())?.snapshot).toEqual(id(1, 1));
    });
    it('moves the archive of an earlier incarnation aside', async () => {
      await fixture.writeOutside(archives, 'earlier');
      await archives.setLegacyAside();
      expect(await archives.legacy()).toBeUndefined();
    });
    it('keeps an operator’s choice until it is dropped', async () => {
      await archives.putChoice('{"snapshot":"a1/s1"}');
      expect(await archives.choice()).toBe('{"snapshot":"a1/s1"}');
      await archives.dropChoice();
      await archives.dropChoice();
      expect(await archives.choice()).toBeUndefined();
    });
  });
};
