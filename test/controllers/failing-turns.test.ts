/** A turn that fails for good: once in the log, seen as a condition, tried ever more rarely (case E17). */
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createControlLoop } from '../../src/controllers/control-loop.ts';
import type { Wake } from '../../src/controllers/serial-per-key.ts';
import { createTroubles } from '../../src/controllers/troubles.ts';
import { createTurnFailures, failureConditions } from '../../src/controllers/turn-failures.ts';
import { DroverError, type ErrorCode } from '../../src/domain/errors.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const T0 = 1_700_000_000_000;
const MINUTE = 60_000;

const run = async (code: ErrorCode, minutes: number) => {
  const time = createVirtualClock(T0);
  const wakes = new Subject<Wake>();
  const failures = createTurnFailures();
  const told: string[] = [];
  let turns = 0;
  let fails = true;
  const loop = createControlLoop({
    what: 'bot',
    sources: () => [wakes],
    reconcile: () => {
      turns += 1;
      return fails ? Promise.reject(new DroverError(code, 'it does not go')) : Promise.resolve(undefined);
    },
    // Each tick finds that it differs.
    resync: (tick) => Promise.resolve([{ key: 'a', cause: { kind: 'tick', number: tick } }]),
    resyncIntervalMs: 30_000,
    leads: () => true,
    inTerm: (work) => work(),
    counters: { add: () => undefined },
    failures,
    troubles: createTroubles(() => time.clock.now()),
    clock: time.clock,
    logger: { ...silentLogger, error: (message) => told.push(message), info: (message) => told.push(message) },
  });
  loop.start();
  const pass = async (until: number): Promise<void> => {
    while (time.clock.now() < until) {
      time.set(time.clock.now() + 1_000);
      for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await pass(T0 + minutes * MINUTE);
  return {
    turns: () => turns,
    told,
    failure: () => failures.all().get('a'),
    mend: () => (fails = false),
    wake: () => {
      wakes.next({ key: 'a', cause: { kind: 'spec', id: 'a' } });
    },
    pass: (more: number) => pass(time.clock.now() + more),
    stop: () => loop.stop(10),
  };
};

describe('case E17: a turn that fails for good', () => {
  it.each(['EVENT_ILLEGAL', 'STORE_CORRUPT', 'INTERNAL'] as const)(
    'case E17: %s is logged once in an hour, tried some twenty times, and counted in a condition',
    async (code) => {
      const loop = await run(code, 60);
      expect(loop.turns()).toBeLessThan(25);
      expect(loop.turns()).toBeGreaterThan(10);
      expect(loop.told).toEqual(['reconcile failed']);
      const [condition] = failureConditions(loop.failure());
      expect(condition).toMatchObject({
        type: 'ReconcileFailing',
        status: 'True',
        lastTransitionTime: expect.any(Number) as number,
      });
      expect(condition?.message).toContain(
        `it does not go; failed ${String(loop.turns())} times in a row since 2023-11-14T22:13:2`,
      );
      await loop.stop();
    },
  );
  it('case E17: a signal that says something new is not made to wait, and what is mended is told and shown no more', async () => {
    const loop = await run('EVENT_ILLEGAL', 30);
    const before = loop.turns();
    loop.mend();
    loop.wake();
    await loop.pass(1_000);
    expect(loop.turns()).toBe(before + 1);
    expect(loop.failure()).toBeUndefined();
    expect(loop.told).toEqual(['reconcile failed', 'reconcile works again']);
    await loop.stop();
  });
  it('case E17: an outage is tried again every few seconds, as before, and logged once', async () => {
    const loop = await run('STORE_UNAVAILABLE', 5);
    expect(loop.turns()).toBeGreaterThan(40);
    expect(loop.told).toEqual(['reconcile failed']);
    await loop.stop();
  });
});
