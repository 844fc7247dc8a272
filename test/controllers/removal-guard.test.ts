import { describe, expect, it } from 'vitest';
import { createRemovalGuard } from '../../src/controllers/removal-guard.ts';
import { silentLogger } from '../support/silent-logger.ts';

const asked = { requestId: 'r', actor: 'ann', action: 'confirm-removal', at: 1 };
const fleet = (n: number): string[] => Array.from({ length: n }, (_, i) => `b${String(i)}`);
const setUp = () => {
  let confirmations = 0;
  let time = 7;
  const rechecks: number[] = [];
  const guard = createRemovalGuard({
    installId: 'i1',
    logger: silentLogger,
    now: () => time,
    onConfirmed: () => (confirmations += 1),
    recheckAfter: (ms) => rechecks.push(ms),
  });
  const recordOf = (id: string) => ({ id, revision: 1, document: {}, requests: [] });
  const read = (stopped: readonly string[], how: 'asked' | 'unasked', size = 50, installId = 'i1'): void => {
    guard.judge({ installId, records: [recordOf('stays')] }, fleet(size), (id) => (stopped.includes(id) ? how : 'no'));
  };
  /** A read that finds no document. */
  const readNothing = (size: number, how: 'asked' | 'unasked' = 'unasked', left: readonly string[] = []): void => {
    const records = left.map((id) => ({ ...recordOf(id), document: null }));
    guard.judge({ installId: 'i1', records }, fleet(size), () => how);
  };
  const pass = (ms: number): void => void (time += ms);
  return { guard, read, readNothing, pass, rechecks, confirmations: () => confirmations };
};

describe('the guard against an empty or wrong spec store', () => {
  it('lets up to max(3, 10 %) of the fleet go unasked', () => {
    const { guard, read } = setUp();
    read(fleet(5), 'unasked');
    expect(guard.suspicion()).toBeUndefined();
    expect(guard.allows('b4')).toBe(true);
    read(fleet(3), 'unasked', 4);
    expect(guard.allows('b2')).toBe(true);
  });
  it('stops nothing when one read would stop more, until confirmed', () => {
    const { guard, read, confirmations } = setUp();
    read(fleet(6), 'unasked');
    expect(guard.suspicion()).toEqual({ since: 7, botIds: fleet(6), fleet: 50 });
    expect(fleet(50).some((id) => guard.allows(id))).toBe(false);
    void guard.confirm(asked);
    expect(confirmations()).toBe(1);
    expect(fleet(50).filter((id) => guard.allows(id))).toEqual(fleet(6));
    read(fleet(6), 'unasked');
    expect(guard.suspicion()).toBeUndefined();
  });
  it('a confirmation does not cover bots that vanish later', () => {
    const { guard, read } = setUp();
    read(fleet(6), 'unasked');
    void guard.confirm(asked);
    read(fleet(20), 'unasked');
    expect(guard.suspicion()?.botIds).toHaveLength(14);
    expect(guard.allows('b5')).toBe(true);
    expect(guard.allows('b6')).toBe(false);
  });
  it('case E20: believes an empty store of a small fleet only after several reads over a minute', () => {
    const { guard, readNothing, pass, rechecks } = setUp();
    readNothing(1, 'unasked', ['of-old']);
    expect(guard.suspicion()).toEqual({ since: 7, botIds: ['b0'], fleet: 1 });
    expect(guard.allows('b0')).toBe(false);
    // Many reads at once are no more than one.
    for (let n = 0; n < 9; n += 1) readNothing(1);
    pass(59_999);
    readNothing(1);
    expect(guard.allows('b0')).toBe(false);
    pass(1);
    readNothing(1);
    expect([guard.allows('b0'), guard.suspicion()]).toEqual([true, undefined]);
    expect(rechecks).toEqual([20_000, 20_000]);
  });
  it('case E20: believes it at once when it is confirmed, and begins anew when a document was there meanwhile', () => {
    const { guard, read, readNothing, pass } = setUp();
    readNothing(3);
    pass(50_000);
    read([], 'unasked', 3);
    expect(guard.suspicion()).toBeUndefined();
    readNothing(3);
    pass(20_000);
    readNothing(3);
    readNothing(3);
    expect(guard.allows('b1')).toBe(false);
    void guard.confirm(asked);
    expect(fleet(3).every((id) => guard.allows(id))).toBe(true);
  });
  it('case E20: lets the last ones go at once when that was asked for', () => {
    const { guard, readNothing } = setUp();
    readNothing(3, 'asked');
    expect(guard.suspicion()).toBeUndefined();
  });
  it('never stands in the way of stops that were asked for', () => {
    const { guard, read } = setUp();
    read(fleet(50), 'asked');
    expect(guard.suspicion()).toBeUndefined();
  });
  it('trusts nothing that a store of another install says', () => {
    const { guard, read } = setUp();
    read(fleet(1), 'unasked');
    expect(guard.allows('b0')).toBe(true);
    read(fleet(1), 'unasked', 50, 'other');
    expect(guard.allows('b0')).toBe(false);
  });
  it('forgets its suspicion when the store is whole again', () => {
    const { guard, read } = setUp();
    read(fleet(50), 'unasked');
    expect(guard.suspicion()).toBeDefined();
    read([], 'unasked');
    expect(guard.suspicion()).toBeUndefined();
  });
});
