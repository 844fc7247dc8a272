/** The lease of a role on MongoDB (faults R23, R44): at most one leads, and who cannot be sure does not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMongoLeadership } from '../../src/adapters/mongo/mongo-leadership.ts';
import type { Leadership } from '../../src/ports/leadership.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { oneTo } from './commits.ts';
import { MONGO_URI, mongoScratch, type MongoScratch } from './mongo-support.ts';

/** Longer than a test may take: a lease ends where the test lets time pass, and not because the machine is slow. */
const LEASE_MS = 600_000;
const SHORT_MS = 2_000;
const RENEW_MS = 100;

interface Candidate {
  readonly lease: Leadership;
  /** As seen by this candidate's own clocks. */
  skip(ms: number, clock?: 'monotonic' | 'wall'): void;
  /** Silent from now on, without giving anything back. */
  die(): void;
  /** Resolves when it has asked for the lease, or renewed it, once more from beginning to end. */
  asksAgain(): Promise<void>;
}

describe.skipIf(MONGO_URI === undefined)('lease on MongoDB', () => {
  let scratch: MongoScratch;
  const open: Leadership[] = [];
  const candidates: Candidate[] = [];
  beforeEach(async () => {
    scratch = await mongoScratch();
  });
  afterEach(async () => {
    candidates.splice(0);
    await Promise.all(open.splice(0).map((lease) => lease.stop()));
    await scratch.close();
  });

  const candidate = (holder: string, role = 'r', leaseMs = LEASE_MS): Candidate => {
    const skipped = { monotonic: 0, wall: 0 };
    let isDead = false;
    let asked = 0;
    const lease = createMongoLeadership(scratch.connect(), {
      role,
      holder,
      logger: silentLogger,
      verify: () => {
        asked += 1;
        return isDead ? Promise.reject(new Error('dead')) : Promise.resolve();
      },
      leaseMs,
      renewMs: RENEW_MS,
      monotonic: () => performance.now() + skipped.monotonic,
      wall: () => Date.now() + skipped.wall,
    });
    open.push(lease);
    lease.start();
    const made: Candidate = {
      lease,
      skip: (ms, clock = 'monotonic') => {
        skipped[clock] += ms;
      },
      die: () => {
        isDead = true;
      },
      asksAgain: () => {
        // The one after the next begins when the next one has ended.
        const target = asked + 2;
        return expect.poll(() => asked).toBeGreaterThanOrEqual(target);
      },
    };
    candidates.push(made);
    return made;
  };
  /** For all of them. */
  const pass = (ms: number): void => {
    for (const each of candidates) each.skip(ms);
  };
  const leads = ({ lease }: Candidate): boolean => lease.epoch() !== undefined;
  const becomes = (one: Candidate): Promise<void> => expect.poll(() => leads(one)).toBe(true);

  it('is held by the first, and handed over at once when it is given back', async () => {
    // No lease ends in this test: whoever leads after another was given it.
    const first = candidate('a');
    await becomes(first);
    const second = candidate('b');
    await expect.poll(() => second.lease.holder()).toBe('a');
    for (let looks = 0; looks < 5; looks += 1) await second.asksAgain();
    expect([leads(first), leads(second)]).toEqual([true, false]);
    expect(second.lease.holder()).toBe('a');
    const told: boolean[] = [];
    second.lease.onChange((won) => told.push(won));
    await first.lease.stop();
    await becomes(second);
    expect([first.lease.epoch(), second.lease.epoch(), told]).toEqual([undefined, 2, [true]]);
  });

  it('goes to another after a silent death, with the next epoch', async () => {
    const first = candidate('a', 'r', SHORT_MS);
    await becomes(first);
    const second = candidate('b', 'r', SHORT_MS);
    await expect.poll(() => second.lease.holder()).toBe('a');
    first.die();
    await expect.poll(() => second.lease.epoch()).toBe(2);
    expect(leads(first)).toBe(false);
  });

  it.each(['monotonic', 'wall'] as const)('is not trusted by a holder that slept, by its %s clock', async (clock) => {
    const first = candidate('a');
    await becomes(first);
    const told: boolean[] = [];
    first.lease.onChange((won) => told.push(won));
    first.skip(LEASE_MS, clock);
    // Before it has asked anybody.
    expect(first.lease.epoch()).toBeUndefined();
    // Nobody else wanted it: the same term goes on.
    await becomes(first);
    expect(first.lease.epoch()).toBe(1);
    // Only the clock of the machine jumped, and jumped back: what was proven stays proven.
    first.skip(-3_600_000, 'wall');
    expect(first.lease.epoch()).toBe(1);
  });

  it('is refused to a holder that slept while another took over', async () => {
    const first = candidate('a');
    await becomes(first);
    first.die();
    const second = candidate('b');
    await expect.poll(() => second.lease.holder()).toBe('a');
    pass(LEASE_MS);
    await becomes(second);
    const back = candidate('a');
    await expect.poll(() => back.lease.holder()).toBe('b');
    // Longer than a lease, in which the second renews its own.
    for (let parts = 0; parts < 3; parts += 1) {
      pass(LEASE_MS / 2);
      await second.asksAgain();
      await back.asksAgain();
    }
    expect([leads(first), leads(second), leads(back)]).toEqual([false, true, false]);
  });

  it('is one for each role', async () => {
    const [runner, scheduler] = [candidate('a', 'bot-runner'), candidate('b', 'bot-scheduler')];
    await becomes(runner);
    await becomes(scheduler);
    expect([runner.lease.epoch(), scheduler.lease.epoch()]).toEqual([1, 1]);
  });

  it('has at most one holder at any time among five, over deaths and returns', async () => {
    const all = oneTo(5).map((n) => candidate(`c${String(n)}`));
    const epochs: number[] = [];
    let most = 0;
    const watching = setInterval(() => {
      const held = all.map(({ lease }) => lease.epoch()).filter((epoch) => epoch !== undefined);
      most = Math.max(most, held.length);
      for (const epoch of held) if (epochs.at(-1) !== epoch) epochs.push(epoch);
    }, 5);
    for (let deaths = 0; deaths < 3; deaths += 1) {
      // Found and kept in one look: on a busy machine it may have lost its trust by the next.
      const found: Candidate[] = [];
      await expect
        .poll(() => {
          if (found.push(...all.filter(leads)) > 0) return true;
          pass(LEASE_MS / 10);
          return false;
        })
        .toBe(true);
      const [leader] = found as [Candidate];
      if (deaths === 1) await leader.lease.stop();
      else {
        leader.die();
        pass(LEASE_MS);
      }
      await expect.poll(() => leads(leader)).toBe(false);
    }
    await expect
      .poll(() => {
        if (all.some(leads)) return true;
        pass(LEASE_MS / 10);
        return false;
      })
      .toBe(true);
    clearInterval(watching);
    expect(most).toBe(1);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(new Set(epochs).size).toBe(epochs.length);
    expect(epochs.at(-1)).toBeGreaterThanOrEqual(4);
  });
});
