/** When a process acts: after the log is folded, in its own term, and never while it cannot be sure. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createFence } from '../../src/controllers/fence.ts';
import { createLeader, type Leader } from '../../src/controllers/leader.ts';
import type { Leadership } from '../../src/ports/leadership.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

describe('the leader', () => {
  const lease = { epoch: undefined as number | undefined, term: undefined as number | undefined };
  let listener: (leads: boolean) => void;
  let head: () => Promise<number>;
  let folded: number;
  let happened: string[];
  let leader: Leader;
  let time: VirtualClock;
  let looks: number;

  /** Time passes in steps shorter than any that the leader waits, and whatever follows from each has followed. */
  const pass = async (ms: number): Promise<void> => {
    const end = time.clock.now() + ms;
    while (time.clock.now() < end) {
      await new Promise(setImmediate);
      time.set(time.clock.now() + 10);
    }
    await new Promise(setImmediate);
  };

  const win = (epoch: number): void => {
    Object.assign(lease, { epoch, term: epoch });
    listener(true);
  };
  /** `forGood`: another has it; else nobody can say. */
  const lose = (forGood: boolean): void => {
    lease.epoch = undefined;
    if (forGood) lease.term = undefined;
    listener(false);
  };

  beforeEach(() => {
    Object.assign(lease, { epoch: undefined, term: undefined });
    time = createVirtualClock(0);
    looks = 0;
    head = () => Promise.resolve(5);
    folded = 5;
    happened = [];
    const leadership: Leadership = {
      role: 'r',
      epoch: () => lease.epoch,
      term: () => lease.term,
      holder: () => undefined,
      isHeld: () => lease.epoch !== undefined,
      onChange: (told) => {
        listener = told;
        return () => undefined;
      },
      start: () => undefined,
      stop: () => Promise.resolve(),
    };
    leader = createLeader({
      leadership,
      fence: createFence(leadership),
      logger: silentLogger,
      clock: time.clock,
      head: () => head(),
      folded: () => {
        looks += 1;
        return folded;
      },
      prepare: () => {
        happened.push('prepare');
        return Promise.resolve();
      },
      onLead: () => happened.push('lead'),
      onSuperseded: () => happened.push('superseded'),
    });
  });

  it('acts once the log is folded to its head, and not before', async () => {
    folded = 3;
    win(1);
    await pass(100);
    expect(looks).toBeGreaterThan(1);
    expect([leader.leads(), happened]).toEqual([false, []]);
    folded = 5;
    await pass(100);
    expect(leader.leads()).toBe(true);
    expect(happened).toEqual(['prepare', 'lead']);
  });

  it('waits for a store that does not answer, as long as it has the lease', async () => {
    let tries = 0;
    head = () => {
      tries += 1;
      return tries < 2 ? Promise.reject(new Error('away')) : Promise.resolve(0);
    };
    win(1);
    await pass(500);
    expect([leader.leads(), tries]).toEqual([false, 1]);
    await pass(1_000);
    expect([leader.leads(), tries]).toEqual([true, 2]);
  });

  it('stops at once when nobody can say, and goes on in the same term without having given way', async () => {
    win(1);
    await expect.poll(() => leader.leads()).toBe(true);
    lose(false);
    expect(leader.leads()).toBe(false);
    expect(() => {
      leader.mayAct();
    }).toThrow(/is not the leader/);
    await pass(300);
    win(1);
    await expect.poll(() => leader.leads()).toBe(true);
    await pass(300);
    expect(happened).toEqual(['prepare', 'lead', 'prepare', 'lead']);
  });

  it('gives way when another leads', async () => {
    win(1);
    await expect.poll(() => leader.leads()).toBe(true);
    lose(true);
    await pass(200);
    expect(happened.at(-1)).toBe('superseded');
    win(3);
    await expect.poll(() => leader.leads()).toBe(true);
    expect(happened).toEqual(['prepare', 'lead', 'superseded', 'prepare', 'lead']);
  });

  it('does not act for a lease that was lost while it got ready', async () => {
    folded = 0;
    win(1);
    await pass(50);
    expect(looks).toBeGreaterThan(1);
    lose(true);
    folded = 5;
    await pass(100);
    // Nothing waits any more, for whatever might have come after it.
    expect(time.next()).toBeUndefined();
    expect(leader.leads()).toBe(false);
    expect(happened).not.toContain('lead');
  });

  /** It may act, waits until it is woken, and asks again. */
  const suspendedTurn = () => {
    let wake: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const turn = leader.inTerm(async () => {
      leader.mayAct();
      await waits;
      leader.mayAct();
    });
    return {
      turn,
      wake: () => {
        wake();
      },
    };
  };

  it('refuses a turn of an earlier term, also when this process leads again', async () => {
    win(1);
    await expect.poll(() => leader.leads()).toBe(true);
    const { turn, wake } = suspendedTurn();
    lose(true);
    win(3);
    await expect.poll(() => leader.leads()).toBe(true);
    wake();
    await expect(turn).rejects.toMatchObject({
      code: 'LEASE_LOST',
      message: expect.stringMatching(/earlier epoch/) as string,
    });
    await leader.inTerm(() => {
      leader.mayAct();
      return Promise.resolve();
    });
  });

  it('refuses a turn of a later term that is over as well', async () => {
    for (const epoch of [1, 3]) {
      win(epoch);
      await expect.poll(() => leader.leads()).toBe(true);
      await leader.inTerm(() => Promise.resolve());
      if (epoch === 1) lose(true);
    }
    const { turn, wake } = suspendedTurn();
    lose(true);
    win(5);
    await expect.poll(() => leader.leads()).toBe(true);
    wake();
    await expect(turn).rejects.toThrow(/earlier epoch/);
  });

  it('refuses in a later term what belongs to none: it may be left over from the first', async () => {
    win(1);
    await expect.poll(() => leader.leads()).toBe(true);
    leader.mayAct();
    await leader.inTerm(() => Promise.resolve());
    leader.mayAct();
    lose(true);
    win(3);
    await expect.poll(() => leader.leads()).toBe(true);
    expect(() => {
      leader.mayAct();
    }).toThrow(/earlier epoch/);
    await leader.inTerm(async () => {
      await new Promise(setImmediate);
      leader.mayAct();
    });
  });

  it('does not let act who has the lease and not yet the log', () => {
    folded = 0;
    win(1);
    expect(() => {
      leader.mayAct();
    }).toThrow(/is not ready yet/);
    expect(() => leader.inTerm(() => Promise.resolve())).toThrow(/is not the leader/);
  });

  it('is not led by an epoch that changed behind its back', async () => {
    win(1);
    await expect.poll(() => leader.leads()).toBe(true);
    lease.epoch = 2;
    expect(leader.leads()).toBe(false);
  });
});
