/** What messages wish, against every spec store (contract §2, faults R5): order by stream position, one atomic write. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AnyRequest, Asked, SpecStore, Wish } from '../../src/ports/spec-store.ts';
import type { SpecStoreFixture } from './spec-store-contract.ts';
import { cases } from '../support/full.ts';
import { oneTo } from './commits.ts';

const asked: Asked = { requestId: 'm', actor: 'nats', action: 'the0.bot.updated', at: 1_700_000_000_000 };
const at = (sequence: number, stream = 'S@1') => ({ stream, sequence });
const content = (n: number) => ({ config: { n }, custom: { filePath: `p/${String(n)}` } });
const create = (n: number): Wish => ({ kind: 'create', content: content(n) });
const update = (n: number): Wish => ({ kind: 'update', content: content(n) });
const replace = (n: number): Wish => ({ kind: 'replace', content: content(n) });
const gone: Wish = { kind: 'delete' };

export const wishContract = <R extends AnyRequest>(name: string, open: () => Promise<SpecStoreFixture<R>>): void => {
  describe(`wish contract: ${name}`, () => {
    let fixture: SpecStoreFixture<R>;
    let store: SpecStore<R>;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());
    const documentOf = async (id: string): Promise<unknown> => (await store.read(id))?.document;

    it('creates what is not there and leaves alone what is', async () => {
      expect(await store.applyWish('a', create(1), asked)).toBe('applied');
      expect(await store.read('a')).toEqual({ id: 'a', document: { id: 'a', ...content(1) }, revision: 1, asked, requests: [] }); // prettier-ignore
      expect(await store.applyWish('a', create(2), asked)).toBe('unchanged');
      expect(await documentOf('a')).toEqual({ id: 'a', ...content(1) });
    });

    it('updates config and custom and nothing else; inserts what is missing', async () => {
      await store.put('a', { id: 'a', enabled: false, drover: { pids: 9 }, ...content(1) }, asked);
      expect(await store.applyWish('a', update(2), asked)).toBe('applied');
      expect(await documentOf('a')).toEqual({ id: 'a', enabled: false, drover: { pids: 9 }, ...content(2) });
      expect(await store.applyWish('b', update(3), asked)).toBe('applied');
      expect(await documentOf('b')).toEqual({ id: 'b', ...content(3) });
    });

    it('replaces all of a document', async () => {
      await store.put('a', { id: 'a', enabled: false, ...content(1) }, asked);
      expect(await store.applyWish('a', replace(2), asked)).toBe('applied');
      expect(await documentOf('a')).toEqual({ id: 'a', ...content(2) });
    });

    it('deletes to a tombstone, idempotently', async () => {
      await store.applyWish('a', create(1), asked);
      expect(await store.applyWish('a', gone, asked)).toBe('applied');
      expect(await store.read('a')).toMatchObject({ document: null, asked });
      expect(await store.applyWish('a', gone, asked)).toBe('unchanged');
      expect(await store.applyWish('never', gone, asked)).toBe('unchanged');
      expect(await store.read('never')).toBeUndefined();
    });

    it('drops messages with a lower or equal position, on documents and on tombstones', async () => {
      expect(await store.applyWish('a', create(1), asked, at(5))).toBe('applied');
      for (const late of [4, 5]) expect(await store.applyWish('a', update(9), asked, at(late))).toBe('stale');
      expect(await store.applyWish('a', update(2), asked, at(6))).toBe('applied');
      expect(await store.applyWish('a', gone, asked, at(8))).toBe('applied');
      for (const wish of [create(7), update(7), gone])
        expect(await store.applyWish('a', wish, asked, at(7))).toBe('stale');
      expect(await documentOf('a')).toBeNull();
      expect(await store.applyWish('a', create(9), asked, at(9))).toBe('applied');
      expect(await documentOf('a')).toEqual({ id: 'a', ...content(9) });
    });

    it('remembers the place of a deletion of what it never knew', async () => {
      expect(await store.applyWish('a', gone, asked, at(3))).toBe('applied');
      expect(await store.applyWish('a', create(1), asked, at(2))).toBe('stale');
      expect(await documentOf('a')).toBeNull();
    });

    it('remembers the place of a creation that it left out', async () => {
      await store.put('a', { id: 'a', ...content(1) }, asked);
      expect(await store.applyWish('a', create(2), asked, at(4))).toBe('unchanged');
      expect(await store.applyWish('a', update(3), asked, at(4))).toBe('stale');
      expect((await store.read('a'))?.asked).toEqual(asked);
    });

    it('keeps the place over changes that came another way', async () => {
      await store.applyWish('a', create(1), asked, at(5));
      await store.put('a', { id: 'a', ...content(2) }, asked);
      expect(await store.applyWish('a', update(3), asked, at(5))).toBe('stale');
      await store.remove('a', asked);
      expect(await store.applyWish('a', create(3), asked, at(5))).toBe('stale');
      await store.put('a', { id: 'a', ...content(4) }, asked);
      expect(await store.applyWish('a', gone, asked, at(5))).toBe('stale');
      expect(await documentOf('a')).toEqual({ id: 'a', ...content(4) });
    });

    it('does not compare positions of a stream that was made anew', async () => {
      await store.applyWish('a', create(1), asked, at(500, 'S@1'));
      expect(await store.applyWish('a', update(2), asked, at(1, 'S@2'))).toBe('applied');
      expect(await store.applyWish('a', update(3), asked, at(1, 'S@2'))).toBe('stale');
    });

    it('ends in the same document whatever is delivered again in between', async () => {
      const history = [create(1), update(2), gone, create(4), update(5), update(6)];
      for (const round of oneTo(cases(3, 15))) {
        const id = `bot-${String(round)}`;
        const first = history.map((_, index) => index);
        // Each for the first time in order, with repetitions of earlier ones strewn in.
        const order = first.flatMap((index) => [
          index,
          ...first
            .slice(0, index + 1)
            .filter(() => Math.random() < 0.5)
            .sort(() => Math.random() - 0.5),
        ]);
        for (const index of order) {
          const wish = history[index];
          if (wish !== undefined) await store.applyWish(id, wish, asked, at(index + 1));
        }
        expect(await documentOf(id), order.join()).toEqual({ id, ...content(6) });
      }
    });

    it('forgets tombstones that are old enough, and nothing else', async () => {
      for (const id of ['a', 'b', 'c']) await store.applyWish(id, create(1), asked);
      await store.remove('a', { ...asked, at: 1_000 });
      await store.remove('b', { ...asked, at: 2_000 });
      await store.forgetTombstones(2_000);
      expect(await store.read('a')).toBeUndefined();
      expect(await documentOf('b')).toBeNull();
      expect(await documentOf('c')).toEqual({ id: 'c', ...content(1) });
    });
  });
};
