/** When the whole fleet is looked at: by the tick, and when somebody asks for it. */
import { describe, expect, it } from 'vitest';
import { createResyncSource } from '../../src/controllers/sources/resync.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const HOUR_MS = 3_600_000;

const opened = (resync: () => Promise<readonly []>) => {
  const time = createVirtualClock(0);
  let runs = 0;
  const errors: unknown[] = [];
  const source = createResyncSource({
    resync: () => {
      runs += 1;
      return resync();
    },
    intervalMs: HOUR_MS,
    onError: (error) => errors.push(error),
    clock: time.clock,
  });
  const subscription = source.wakes.subscribe();
  const pass = async (ms: number): Promise<void> => {
    time.set(time.clock.now() + ms);
    // What was begun comes to its end.
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
  };
  return {
    source,
    pass,
    errors,
    runs: () => runs,
    end: () => {
      subscription.unsubscribe();
    },
    next: time.next,
  };
};

describe('a look at the whole fleet', () => {
  it('that failed is tried again long before the tick, until it works', async () => {
    let failing = 2;
    const { source, pass, errors, runs, end, next } = opened(() =>
      failing-- > 0 ? Promise.reject(new Error('it does not answer')) : Promise.resolve([]),
    );
    source.ask();
    await pass(0);
    expect([runs(), errors.length]).toEqual([1, 1]);
    await pass(5_000);
    expect([runs(), errors.length]).toEqual([2, 2]);
    await pass(5_000);
    expect([runs(), errors.length]).toEqual([3, 2]);
    await pass(60_000);
    expect(runs()).toBe(3);
    end();
    expect(next()).toBeUndefined();
  });

  it('leaves nothing behind when it is ended while one fails', async () => {
    let fail = (): void => undefined;
    const { source, pass, end, next } = opened(
      () =>
        new Promise(
          (_resolve, reject) =>
            (fail = () => {
              reject(new Error('too late'));
            }),
        ),
    );
    source.ask();
    await pass(0);
    end();
    fail();
    await pass(0);
    expect(next()).toBeUndefined();
  });

  it('that is asked for again and again while one is under way runs once more', async () => {
    const ends: (() => void)[] = [];
    const { source, pass, runs } = opened(
      () =>
        new Promise((resolve) =>
          ends.push(() => {
            resolve([]);
          }),
        ),
    );
    for (let n = 0; n < 100; n += 1) {
      source.ask();
      await pass(60);
    }
    expect(runs()).toBe(1);
    for (let n = 0; n < 5; n += 1) {
      ends[n]?.();
      await pass(60);
    }
    expect(runs()).toBe(2);
  });
});
