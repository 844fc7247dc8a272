/** What the store of schedules does beside the store of bots: nothing of one kind is ever taken for the other. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Asked, ScheduleStore, SpecStore } from '../../src/ports/spec-store.ts';
import { botRequest, scheduleRequest } from './spec-store-contract.ts';

export interface BothStoresFixture {
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  close(): Promise<void>;
}

const asked = (action: string): Asked => ({ requestId: `r-${action}`, actor: 'ann', action, at: 1_700_000_000_000 });

export const scheduleStoreContract = (name: string, open: () => Promise<BothStoresFixture>): void => {
  describe(`schedules beside bots: ${name}`, () => {
    let fixture: BothStoresFixture;
    let specs: SpecStore;
    let schedules: ScheduleStore;
    beforeEach(async () => {
      fixture = await open();
      ({ specs, schedules } = fixture);
    });
    afterEach(() => fixture.close());

    it('an id of one kind says nothing of the other', async () => {
      expect(await schedules.installId()).toBe(await specs.installId());
      await specs.put('a', { id: 'a', of: 'bots' }, asked('create'));
      expect(await schedules.read('a')).toBeUndefined();
      await schedules.put('a', { id: 'a', of: 'schedules' }, asked('create'));
      await schedules.put('a', { id: 'a', of: 'schedules', n: 2 }, asked('update'));
      await specs.addRequest('a', botRequest('q'));
      await schedules.addRequest('a', scheduleRequest('q'));
      expect(await specs.read('a')).toMatchObject({
        document: { of: 'bots' },
        revision: 1,
        requests: [botRequest('q')],
      });
      expect(await schedules.read('a')).toMatchObject({ revision: 2, requests: [scheduleRequest('q')] });
      await specs.clearRequests('a', ['q']);
      expect((await schedules.read('a'))?.requests).toHaveLength(1);
      await specs.remove('a', asked('delete'));
      expect((await schedules.readFleet()).records).toMatchObject([{ id: 'a', document: { n: 2 } }]);
      expect((await specs.readFleet()).records).toMatchObject([{ id: 'a', document: null }]);
      await schedules.remove('a', asked('delete'));
      await specs.forgetTombstones(Number.MAX_SAFE_INTEGER);
      expect(await specs.read('a')).toBeUndefined();
      expect((await schedules.read('a'))?.document).toBeNull();
    });

    it('each tells of its own changes, and both of the drain, which is one', async () => {
      const [ofSpecs, ofSchedules]: [unknown[], unknown[]] = [[], []];
      specs.onChange((...change) => ofSpecs.push(change));
      schedules.onChange((...change) => ofSchedules.push(change));
      await specs.put('bot', { id: 'bot' }, asked('create'));
      await schedules.put('schedule', { id: 'schedule' }, asked('create'));
      await schedules.addRequest('schedule', scheduleRequest('q'));
      await expect.poll(() => ofSpecs).toEqual([['bot', asked('create')]]);
      await expect
        .poll(() => ofSchedules)
        .toMatchObject([
          ['schedule', asked('create')],
          ['schedule', { action: 'trigger' }],
        ]);
      for (const [which, store] of [specs, schedules].entries()) {
        const drain = { ...asked('drain'), reason: String(which) };
        await store.setDrain(drain);
        expect((await specs.readFleet()).drain).toEqual(drain);
        expect((await schedules.readFleet()).drain).toEqual(drain);
      }
      await specs.setDrain(undefined);
      expect(await schedules.readFleet()).not.toHaveProperty('drain');
      // What different processes tell has no order among them.
      const drains = (heard: readonly unknown[]): unknown[] =>
        (heard as [unknown, { reason?: string } | undefined][])
          .filter(([id]) => id === undefined)
          .map(([, by]) => by?.reason ?? 'none');
      for (const heard of [ofSpecs, ofSchedules])
        await expect.poll(() => drains(heard).sort()).toEqual(['0', '1', 'none']);
      // Nothing more has come by the time that both have heard what the other told afterwards.
      for (const [which, store] of [specs, schedules].entries())
        await store.setDrain({ ...asked('drain'), reason: `later ${String(which)}` });
      for (const heard of [ofSpecs, ofSchedules])
        await expect.poll(() => drains(heard).sort()).toEqual(['0', '1', 'later 0', 'later 1', 'none']);
      expect(ofSpecs).toHaveLength(4 + 2);
      expect(ofSchedules).toHaveLength(5 + 2);
    });

    it('noting when it runs next changes no wish and wakes nobody', async () => {
      const document = { id: 'a', config: { schedule: '* * * * *' }, custom: {} };
      const before = await schedules.put('a', document, asked('create'));
      const heard: unknown[] = [];
      schedules.onChange((id) => heard.push(id));
      /** What was told before has been heard: of another store too, whose changes come in their order. */
      const tell = async (id: string): Promise<void> => {
        const before = heard.length;
        await schedules.put(id, { ...document, id }, asked('create'));
        await specs.setDrain({ ...asked('drain'), reason: id });
        await expect.poll(() => heard.slice(before)).toEqual([id, undefined]);
      };
      await tell('first');
      for (const at of [1_800_000_000, 1_800_000_060, undefined, 1_800_000_120])
        await schedules.noteNextExecution('a', at);
      expect(await schedules.read('a')).toEqual(before);
      expect((await schedules.readFleet()).records).toContainEqual(before);
      await tell('last');
      expect(heard).toEqual(['first', undefined, 'last', undefined]);
      expect((await schedules.put('a', document, asked('again'))).document).toEqual(before.document);
      await schedules.remove('a', asked('delete'));
      await schedules.noteNextExecution('a', 1);
      await schedules.noteNextExecution('never', 1);
      expect((await schedules.read('a'))?.document).toBeNull();
      expect(await schedules.read('never')).toBeUndefined();
    });
  });
};
