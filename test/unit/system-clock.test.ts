/** The real clock, on timers of the test: durations do not follow a wall clock that is set, times of the day do (feature D16). */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/adapters/system/system-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const pass = (ms: number): void => void vi.advanceTimersByTime(ms);
const setWallClock = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

it.each([HOUR, -HOUR])('a duration stays what it is when the wall clock is set by %i ms', (by) => {
  const done = vi.fn();
  systemClock.after(5 * MINUTE, done);
  pass(1.5 * MINUTE);
  setWallClock(by);
  pass(3.5 * MINUTE - 1);
  expect(done).not.toHaveBeenCalled();
  pass(1);
  expect(done).toHaveBeenCalledTimes(1);
});

it('a time of the wall clock that is set past it is due within a minute', () => {
  const done = vi.fn();
  systemClock.at(START + 5 * HOUR, done);
  pass(MINUTE);
  setWallClock(5 * HOUR);
  pass(MINUTE + 1);
  expect(done).toHaveBeenCalledTimes(1);
});

it('a time of the wall clock that is set back is waited for', () => {
  const done = vi.fn();
  systemClock.at(START + 10 * MINUTE, done);
  pass(5 * MINUTE);
  setWallClock(-HOUR);
  pass(HOUR);
  expect(done).not.toHaveBeenCalled();
  pass(5 * MINUTE);
  expect(done).toHaveBeenCalledTimes(1);
});

it.each([
  ['a duration', (done: () => void) => systemClock.after(2 ** 31, done)],
  ['a time', (done: () => void) => systemClock.at(START + 2 ** 31, done)],
])('%s beyond the longest wait of the platform is not due at once, and can be cancelled', (_what, wait) => {
  const [done, cancelled] = [vi.fn(), vi.fn()];
  wait(done);
  const cancel = wait(cancelled);
  pass(2 ** 31 - 1);
  expect(done).not.toHaveBeenCalled();
  cancel();
  pass(1);
  expect(done).toHaveBeenCalledTimes(1);
  expect(cancelled).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

it('the monotonic clock does not follow the wall clock', () => {
  const before = systemClock.monotonic();
  setWallClock(-HOUR);
  expect(systemClock.monotonic()).toBe(before);
  pass(5);
  expect(systemClock.monotonic()).toBe(before + 5);
});
