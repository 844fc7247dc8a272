import { Subject, type Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { Cause } from '../../src/domain/recorded.ts';
import { serialPerKey, type Wake } from '../../src/controllers/serial-per-key.ts';
import { schedulerOf } from '../../src/controllers/waits.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const tick = (number: number): Cause => ({ kind: 'tick', number });

let subscription: Subscription | undefined;
afterEach(() => subscription?.unsubscribe());

const run = (work: (key: string, causes: readonly Cause[]) => Promise<void>, idleMs = 20) => {
  const source = new Subject<Wake>();
  const errors: string[] = [];
  const onError = (key: string): void => void errors.push(key);
  subscription = source.pipe(serialPerKey({ work, onError, scheduler: schedulerOf(systemClock), idleMs })).subscribe();
  const wake = (key: string, n = 0): void => {
    source.next({ key, cause: tick(n) });
  };
  return { wake, errors };
};

describe('serialPerKey', () => {
  it('never overlaps turns of one key, never loses the last wake, and goes on after errors', async () => {
    let busy = 0;
    let overlaps = 0;
    let turns = 0;
    let sent = 0;
    let handled = 0;
    const { wake, errors } = run(async () => {
      overlaps += busy;
      busy += 1;
      turns += 1;
      const seen = sent;
      await sleep(2 + Math.random() * 5);
      handled = Math.max(handled, seen);
      busy -= 1;
      if (turns % 7 === 0) throw new Error('boom');
    });
    for (sent = 1; sent <= 300; sent += 1) {
      wake('a', sent);
      if (sent % 3 === 0) await sleep(1);
    }
    sent = 300;
    await expect.poll(() => handled).toBe(300);
    expect(overlaps).toBe(0);
    expect(turns).toBeLessThan(300);
    expect(errors.length).toBeGreaterThan(0);
  });

  it('does not lose a wake that comes during the work', async () => {
    const log: number[] = [];
    const { wake } = run(async (_key, causes) => {
      log.push(...causes.map((cause) => (cause.kind === 'tick' ? cause.number : -1)));
      await sleep(20);
    });
    wake('a', 1);
    await sleep(5);
    wake('a', 2);
    wake('a', 3);
    await expect.poll(() => log).toEqual([1, 2, 3]);
  });

  it('keeps waiting causes few and distinct', async () => {
    const turns: (readonly Cause[])[] = [];
    const { wake } = run(async (_key, causes) => {
      turns.push(causes);
      await sleep(20);
    });
    wake('a', 0);
    for (let n = 1; n <= 100; n += 1) wake('a', n);
    wake('a', 1);
    await expect.poll(() => turns.length).toBe(2);
    expect(turns[1]?.map((cause) => (cause.kind === 'tick' ? cause.number : -1))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('lets a stuck key hold up nobody else, however many there are', async () => {
    const done = new Set<string>();
    const { wake } = run(async (key) => {
      if (key === 'stuck') await new Promise(() => undefined);
      done.add(key);
    });
    wake('stuck');
    for (let n = 0; n < 500; n += 1) wake(`k${String(n)}`);
    await expect.poll(() => done.size).toBe(500);
  });

  it('serves a key again after its group was freed, and still never overlaps', async () => {
    let busy = 0;
    let overlaps = 0;
    let turns = 0;
    const { wake } = run(async () => {
      overlaps += busy;
      busy += 1;
      await sleep(30); // longer than the idle time: a group that closed too early would overlap here
      busy -= 1;
      turns += 1;
    }, 10);
    for (let n = 0; n < 5; n += 1) {
      wake('a', n);
      await sleep(15);
    }
    await sleep(60);
    const before = turns;
    wake('a', 99);
    await expect.poll(() => turns).toBe(before + 1);
    expect(overlaps).toBe(0);
  });
});
