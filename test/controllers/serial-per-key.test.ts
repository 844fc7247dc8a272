import { Subject, type Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cause } from '../../src/domain/recorded.ts';
import { serialPerKey, type Wake } from '../../src/controllers/serial-per-key.ts';
import { schedulerOf } from '../../src/controllers/waits.ts';
import { aGate } from '../support/gate.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const tick = (number: number): Cause => ({ kind: 'tick', number });

let subscription: Subscription | undefined;
afterEach(() => subscription?.unsubscribe());

const run = (work: (key: string, causes: readonly Cause[]) => Promise<void>, idleMs = 20) => {
  const time = createVirtualClock(0);
  const source = new Subject<Wake>();
  const errors: string[] = [];
  const onError = (key: string): void => void errors.push(key);
  subscription = source.pipe(serialPerKey({ work, onError, scheduler: schedulerOf(time.clock), idleMs })).subscribe();
  const wake = (key: string, n = 0): void => {
    source.next({ key, cause: tick(n) });
  };
  return { wake, errors, time };
};

describe('serialPerKey', () => {
  it('never overlaps turns of one key, never loses the last wake, and goes on after errors', async () => {
    let busy = 0;
    let overlaps = 0;
    let turns = 0;
    let sent = 0;
    let handled = 0;
    const { wake, errors, time } = run(async () => {
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
      time.set(sent);
    }
    sent = 300;
    await expect.poll(() => handled).toBe(300);
    expect(overlaps).toBe(0);
    expect(turns).toBeLessThan(300);
    expect(errors.length).toBeGreaterThan(0);
  });

  it('does not lose a wake that comes during the work', async () => {
    const log: number[] = [];
    const gate = aGate();
    const { wake } = run(async (_key, causes) => {
      log.push(...causes.map((cause) => (cause.kind === 'tick' ? cause.number : -1)));
      await gate.pass();
    });
    wake('a', 1);
    await gate.reached();
    wake('a', 2);
    wake('a', 3);
    gate.open();
    await expect.poll(() => log).toEqual([1, 2, 3]);
  });

  it('keeps waiting causes few and distinct', async () => {
    const turns: (readonly Cause[])[] = [];
    const gate = aGate();
    const { wake } = run(async (_key, causes) => {
      turns.push(causes);
      await gate.pass();
    });
    wake('a', 0);
    await gate.reached();
    for (let n = 1; n <= 100; n += 1) wake('a', n);
    wake('a', 1);
    gate.open();
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

  it('frees the group of a key that was idle, serves the key again, and never overlaps', async () => {
    const IDLE_MS = 10;
    let busy = 0;
    let overlaps = 0;
    let turns = 0;
    let gate = aGate();
    const { wake, time } = run(async () => {
      overlaps += busy;
      busy += 1;
      await gate.pass();
      busy -= 1;
      turns += 1;
    }, IDLE_MS);
    const idle = async (ms: number): Promise<void> => {
      await new Promise(setImmediate);
      time.set(time.clock.now() + ms);
    };
    wake('a', 0);
    for (let turn = 1; turn <= 3; turn += 1) {
      await gate.reached();
      // The work takes much longer than the idle time, and is asked for again meanwhile: a group that closed too early would overlap here.
      await idle(3 * IDLE_MS);
      wake('a', turn);
      await idle(3 * IDLE_MS);
      const { open } = gate;
      gate = aGate();
      open();
      await expect.poll(() => turns).toBe(turn);
    }
    await gate.reached();
    gate.open();
    await expect.poll(() => turns).toBe(4);
    // Something waits only as long as the group is kept.
    await new Promise(setImmediate);
    expect(time.next()).toBeDefined();
    await idle(IDLE_MS);
    expect(time.next()).toBeUndefined();
    wake('a', 99);
    await expect.poll(() => turns).toBe(5);
    expect(overlaps).toBe(0);
  });
});
