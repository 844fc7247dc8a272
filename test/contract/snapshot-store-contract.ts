/** What every snapshot store must do: a cache that may go at any time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BotContext } from '../../src/domain/bot-state.ts';
import type { Snapshot, SnapshotStore } from '../../src/ports/snapshot-store.ts';
import { cases } from '../support/full.ts';
import { oneTo } from './commits.ts';

export interface SnapshotStoreFixture {
  readonly store: SnapshotStore;
  close(): Promise<void>;
}

/** The store looks at none of its members. */
const contextOf = (attempt: number): BotContext =>
  ({ attempt, specHash: null, crashes: [1, 2] }) as unknown as BotContext;
const snapshot = (stream: string, version: number): Snapshot => ({
  stream,
  version,
  machineVersion: 3,
  at: 'failed.backingOff',
  context: contextOf(version),
});
const byStream = (a: Snapshot, b: Snapshot): number => (a.stream < b.stream ? -1 : 1);

export const snapshotStoreContract = (name: string, open: () => Promise<SnapshotStoreFixture>): void => {
  describe(`snapshot store contract: ${name}`, () => {
    let fixture: SnapshotStoreFixture;
    let store: SnapshotStore;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());

    it('keeps the latest snapshot of each stream', async () => {
      expect(await store.loadAll()).toEqual([]);
      await store.save([]);
      await store.save([snapshot('bot:a', 100), snapshot('bot:b', 100)]);
      await store.save([snapshot('bot:a', 200)]);
      expect([...(await store.loadAll())].sort(byStream)).toEqual([snapshot('bot:a', 200), snapshot('bot:b', 100)]);
    });

    it('can be cleared at any time', async () => {
      await store.save([snapshot('bot:a', 100)]);
      await store.clear();
      await store.clear();
      expect(await store.loadAll()).toEqual([]);
      await store.save([snapshot('bot:a', 101)]);
      expect(await store.loadAll()).toEqual([snapshot('bot:a', 101)]);
    });

    it('keeps many', async () => {
      const many = oneTo(cases(1_234, 2_345)).map((n) => snapshot(`bot:${String(n)}`, n));
      await store.save(many);
      expect([...(await store.loadAll())].sort(byStream)).toEqual([...many].sort(byStream));
    });
  });
};
