/** What every spec store must do. An adapter runs it by handing in how to open a fresh store. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import type { JsonObject } from '../../src/domain/json.ts';
import { jsonText } from '../../src/domain/json-text.ts';
import { parseJson } from '../../src/domain/parse-json.ts';
import type { BotRequest } from '../../src/domain/bot.ts';
import type { ScheduleRequest } from '../../src/domain/schedule.ts';
import type { AnyRequest, Asked, SpecStore } from '../../src/ports/spec-store.ts';
import { cases } from '../support/full.ts';
import { jsonSource } from '../support/json-source.ts';
import { codeOf, oneTo } from './commits.ts';

export interface SpecStoreFixture<R extends AnyRequest = BotRequest> {
  readonly store: SpecStore<R>;
  /** A further handle on the same documents. */
  another(): Promise<SpecStore<R>>;
  /** Many documents at once, as another program writes them; without it they are put one by one. */
  fill?(documents: readonly Record<string, unknown>[]): Promise<unknown>;
  close(): Promise<void>;
}

const asked = (action: string): Asked => ({ requestId: `r-${action}`, actor: 'ann', action, at: 1_700_000_000_000 });
/** Changes of each of the documents that many change at once. */
const EACH = cases(4, 10);
const common = { actor: 'ann', reason: 'because', at: 1_700_000_000_001 };
/** Requests of one kind or another, as a contract needs them. */
export const botRequest = (requestId: string, kind: 'one' | 'other' = 'one'): BotRequest => ({
  requestId,
  kind: kind === 'one' ? 'restart' : 'reset',
  ...common,
});
export const scheduleRequest = (requestId: string, kind: 'one' | 'other' = 'one'): ScheduleRequest =>
  kind === 'one'
    ? { requestId, kind: 'trigger', ...common }
    : { requestId, kind: 'backfill', from: 1, to: 2, again: false, ...common };
const documentOf = (id: string): Record<string, unknown> => ({
  id,
  config: { symbol: 'BTC/€', schema: 'stays', nested: { readme: 'stays' }, size: 0.1, none: null },
  custom: {
    version: '1.0.0',
    filePath: `u/${id}/1.0.0`,
    config: { name: id, runtime: 'nodejs20', schema: { bot: {} }, readme: '# long', metadata: { readme: 'stays' } },
  },
  enabled: true,
});
const slimOf = (id: string): Record<string, unknown> => {
  const document = structuredClone(documentOf(id));
  const { config } = document['custom'] as { config: Record<string, unknown> };
  delete config['schema'];
  delete config['readme'];
  return document;
};

export const specStoreContract = <R extends AnyRequest>(
  name: string,
  open: () => Promise<SpecStoreFixture<R>>,
  request: (requestId: string, kind?: 'one' | 'other') => R,
): void => {
  describe(`spec store contract: ${name}`, () => {
    let fixture: SpecStoreFixture<R>;
    let store: SpecStore<R>;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());

    it('has an install id that stays', async () => {
      const id = await store.installId();
      expect(id).toMatch(/^[0-9a-f]{8}$/);
      const other = await fixture.another();
      expect(await other.installId()).toBe(id);
      expect(await store.readFleet()).toEqual({ installId: id, records: [] });
    });

    it('reads back a whole document, and the fleet without schema and readme', async () => {
      const put = await store.put('a', documentOf('a'), asked('create'));
      await store.put('b', documentOf('b'), asked('create'));
      expect(put).toEqual({ id: 'a', document: documentOf('a'), revision: 1, asked: asked('create'), requests: [] });
      expect(await store.read('a')).toEqual(put);
      const fleet = await (await fixture.another()).readFleet();
      expect([...fleet.records].sort((x, y) => (x.id < y.id ? -1 : 1))).toEqual(
        ['a', 'b'].map((id) => ({ id, document: slimOf(id), revision: 1, asked: asked('create'), requests: [] })),
      );
      expect(await store.read('c')).toBeUndefined();
    });

    it('keeps documents of any shape, for decoding is not its matter', async () => {
      const shapes: readonly unknown[] = [
        'text',
        7,
        [],
        { custom: 'no object' },
        { custom: { config: [1] } },
        { $set: { 'a.b': 1 } },
      ];
      for (const [index, document] of shapes.entries())
        await store.put(`bot-${String(index)}`, document, asked('create'));
      const { records } = await store.readFleet();
      expect(records).toHaveLength(shapes.length);
      for (const [index, document] of shapes.entries()) {
        expect((await store.read(`bot-${String(index)}`))?.document).toEqual(document);
        expect(records.find(({ id }) => id === `bot-${String(index)}`)?.document).toEqual(document);
      }
    });

    it('case A1: keeps a config as it was written, to the digit, in a put, in a message, and in the fleet', async () => {
      await fc.assert(
        fc.asyncProperty(jsonSource({ forStores: true }), async (text) => {
          const document = { ...documentOf('a'), config: parseJson(text) as JsonObject };
          await store.put('a', document, asked('apply'));
          const other = await fixture.another();
          const written = async (id: string): Promise<string> =>
            jsonText(((await other.read(id))?.document as { config: unknown }).config);
          expect(await written('a')).toBe(text);
          const content = { config: document.config, custom: {} };
          await store.applyWish('m', { kind: 'update', content }, asked('created'));
          expect(await written('m')).toBe(text);
          const { records } = await other.readFleet();
          for (const { document: read } of records) expect(jsonText((read as { config: unknown }).config)).toBe(text);
        }),
        { numRuns: cases(20, 200) },
      );
    });

    it('refuses what is no document', async () => {
      for (const document of [null, undefined]) {
        const refused = await store.put('a', document, asked('create')).catch((thrown: unknown) => thrown);
        expect(codeOf(refused)).toBe('DOCUMENT_INVALID');
      }
      expect(await store.read('a')).toBeUndefined();
    });

    it('grows the revision with each change, over a tombstone too', async () => {
      await store.put('a', documentOf('a'), asked('create'));
      expect((await store.put('a', { n: 2 }, asked('update'))).revision).toBe(2);
      expect(await store.remove('a', asked('delete'))).toBe(true);
      const tombstone = { id: 'a', document: null, revision: 3, asked: asked('delete'), requests: [] };
      expect(await store.read('a')).toEqual(tombstone);
      expect((await store.readFleet()).records).toEqual([tombstone]);
      const back = await store.put('a', { n: 4 }, asked('create'));
      expect(back).toMatchObject({ document: { n: 4 }, revision: 4, asked: asked('create') });
    });

    it('removes idempotently: a tombstone stays as it is, and what is unknown gets none', async () => {
      await store.put('a', documentOf('a'), asked('create'));
      await store.remove('a', asked('delete'));
      expect(await store.remove('a', asked('again'))).toBe(false);
      expect(await store.read('a')).toMatchObject({ revision: 2, asked: asked('delete') });
      expect(await store.remove('never', asked('delete'))).toBe(false);
      expect(await store.read('never')).toBeUndefined();
    });

    it('keeps requests in order, each once, until they are cleared', async () => {
      await store.put('a', documentOf('a'), asked('create'));
      await store.put('b', documentOf('b'), asked('create'));
      for (const entry of [request('1'), request('2', 'other'), request('1'), request('3')])
        await store.addRequest('a', entry);
      await store.addRequest('b', request('1'));
      const kept = [request('1'), request('2', 'other'), request('3')];
      expect(await store.read('a')).toMatchObject({ requests: kept, revision: 1, asked: asked('create') });
      await store.put('a', { n: 2 }, asked('update'));
      expect((await store.readFleet()).records.find(({ id }) => id === 'a')?.requests).toEqual(kept);
      await store.clearRequests('a', ['1', '3', 'unknown']);
      expect((await store.read('a'))?.requests).toEqual([request('2', 'other')]);
      expect((await store.read('b'))?.requests).toEqual([request('1')]);
    });

    it('refuses a request for a bot that is not there, and forgets those of a removed one', async () => {
      await store.put('a', documentOf('a'), asked('create'));
      await store.addRequest('a', request('1'));
      await store.remove('a', asked('delete'));
      expect((await store.read('a'))?.requests).toEqual([]);
      for (const id of ['a', 'never']) {
        expect(codeOf(await store.addRequest(id, request('2')).catch((thrown: unknown) => thrown))).toBe(
          'BOT_NOT_FOUND',
        );
      }
    });

    it('remembers the drain', async () => {
      const drain = { ...asked('drain'), reason: 'maintenance' };
      await store.setDrain(drain);
      expect((await (await fixture.another()).readFleet()).drain).toEqual(drain);
      await store.setDrain(undefined);
      expect(await store.readFleet()).not.toHaveProperty('drain');
    });

    it('tells of each change, also of another handle, until stopped', async () => {
      const other = await fixture.another();
      const heard: unknown[] = [];
      const ignored = vi.fn();
      store.onChange(ignored)();
      const stop = store.onChange((...change) => heard.push(change));
      await store.put('a', documentOf('a'), asked('create'));
      await other.addRequest('a', request('1', 'other'));
      await other.setDrain({ ...asked('drain'), reason: 'maintenance' });
      await other.remove('a', asked('delete'));
      await expect.poll(() => heard.length).toBeGreaterThanOrEqual(4);
      // A store behind a change stream may know less: undefined stands for "any of them".
      for (const [id] of heard as [unknown][]) expect(['a', undefined]).toContain(id);
      expect(heard[0]).toEqual(['a', asked('create')]);
      stop();
      const before = heard.length;
      const later: unknown[] = [];
      store.onChange((id) => later.push(id));
      await store.put('b', documentOf('b'), asked('create'));
      // Who listens still has heard of it.
      await expect.poll(() => later).toContain('b');
      expect(heard).toHaveLength(before);
      expect(ignored).not.toHaveBeenCalled();
    });

    it('goes on when a listener throws', async () => {
      const heard = vi.fn();
      store.onChange(() => {
        throw new Error('a listener at fault');
      });
      store.onChange(heard);
      await store.put('a', documentOf('a'), asked('create'));
      await expect.poll(() => heard.mock.calls).toHaveLength(1);
    });

    it('loses nothing when many change at once', async () => {
      const other = await fixture.another();
      await Promise.all(
        oneTo(20 * EACH).map((n) => (n % 2 === 0 ? store : other).put(`bot-${String(n % 20)}`, { n }, asked('update'))),
      );
      const { records } = await store.readFleet();
      expect(records.map((record) => record.revision)).toEqual(oneTo(20).map(() => EACH));
    });

    it('reads a fleet of 2,000', async () => {
      const ids = oneTo(2_000).map((n) => `bot-${String(n)}`);
      if (fixture.fill !== undefined) await fixture.fill(ids.map((id) => documentOf(id)));
      else await Promise.all(ids.map((id) => store.put(id, documentOf(id), asked('create'))));
      const { records } = await store.readFleet();
      expect(new Set(records.map((record) => record.id)).size).toBe(2_000);
    });
  });
};
