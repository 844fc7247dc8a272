import { describe, expect, it } from 'vitest';
import { createRemovalGuard } from '../../src/controllers/removal-guard.ts';
import { silentLogger } from '../support/silent-logger.ts';

const asked = { requestId: 'r', actor: 'ann', action: 'confirm-removal', at: 1 };
const fleet = (n: number): string[] => Array.from({ length: n }, (_, i) => `b${String(i)}`);
const setUp = () => {
  let confirmations = 0;
  const guard = createRemovalGuard({
    installId: 'i1',
    logger: silentLogger,
    now: () => 7,
    onConfirmed: () => (confirmations += 1),
  });
  const read = (stopped: readonly string[], how: 'asked' | 'unasked', size = 50, installId = 'i1'): void => {
    guard.judge({ installId }, fleet(size), (id) => (stopped.includes(id) ? how : 'no'));
  };
  return { guard, read, confirmations: () => confirmations };
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
