/** Waits by the clock port: they end when the clock says so, and nothing of them is left behind. */
import { Subject, debounceTime, throttleTime, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { atMost, pause, schedulerOf } from '../../src/controllers/waits.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const settled = async (promise: Promise<unknown>): Promise<string> =>
  Promise.race([
    promise.then(
      () => 'done',
      (thrown: unknown) => String(thrown),
    ),
    new Promise<string>((resolve) => setImmediate(resolve, 'waits')),
  ]);

describe('a pause', () => {
  it('ends with its time, and not before', async () => {
    const { clock, set } = createVirtualClock(0);
    const paused = pause(clock, 100);
    set(99);
    expect(await settled(paused)).toBe('waits');
    set(100);
    expect(await settled(paused)).toBe('done');
  });
  it('ends with the reason of its signal, also when that was aborted before, and leaves no timer', async () => {
    const { clock, next } = createVirtualClock(0);
    const abort = new AbortController();
    const paused = pause(clock, 100, abort.signal);
    abort.abort(new Error('over'));
    expect(await settled(paused)).toBe('Error: over');
    expect(await settled(pause(clock, 100, abort.signal))).toBe('Error: over');
    expect(next()).toBeUndefined();
  });
});

describe('waiting at most', () => {
  it('ends with the work or with the time, whatever is first, and leaves no timer', async () => {
    const { clock, next, set } = createVirtualClock(0);
    await atMost(clock, Promise.resolve(), 100);
    expect(next()).toBeUndefined();
    await expect(atMost(clock, Promise.reject(new Error('failed')), 100)).rejects.toThrow('failed');
    expect(next()).toBeUndefined();
    const never = atMost(clock, new Promise(() => undefined), 100);
    expect(await settled(never)).toBe('waits');
    set(100);
    expect(await settled(never)).toBe('done');
  });
});

describe('the scheduler of the clock', () => {
  it('drives a timer, and ends with its subscription', () => {
    const { clock, next, set } = createVirtualClock(0);
    const ticks: number[] = [];
    const subscription = timer(10, 5, schedulerOf(clock)).subscribe((tick) => ticks.push(tick));
    for (const at of [9, 10, 14, 15, 20]) set(at);
    expect(ticks).toEqual([0, 1, 2]);
    subscription.unsubscribe();
    expect(next()).toBeUndefined();
    set(100);
    expect(ticks).toEqual([0, 1, 2]);
  });
  it('drives what gathers: the last one after a quiet time, and the first and the last of a burst', () => {
    const { clock, set } = createVirtualClock(0);
    const scheduler = schedulerOf(clock);
    const source = new Subject<number>();
    const [quiet, bursts]: [number[], number[]] = [[], []];
    source.pipe(debounceTime(10, scheduler)).subscribe((value) => quiet.push(value));
    source
      .pipe(throttleTime(10, scheduler, { leading: true, trailing: true }))
      .subscribe((value) => bursts.push(value));
    source.next(1);
    set(5);
    source.next(2);
    set(10);
    expect([quiet, bursts]).toEqual([[], [1, 2]]);
    set(15);
    expect(quiet).toEqual([2]);
  });
  it('does not follow a wall clock that is set, forwards or back', () => {
    const { clock, set, jump } = createVirtualClock(0);
    const source = new Subject<number>();
    const quiet: number[] = [];
    source.pipe(debounceTime(10, schedulerOf(clock))).subscribe((value) => quiet.push(value));
    source.next(1);
    jump(3_600_000);
    expect(quiet).toEqual([]);
    source.next(2);
    jump(-7_200_000);
    set(clock.now() + 9);
    expect(quiet).toEqual([]);
    set(clock.now() + 1);
    expect(quiet).toEqual([2]);
  });
});
