/** The switch of a query: once, with the first reason, for listeners and for what wants a signal. */
import { describe, expect, it } from 'vitest';
import { Cancellation } from '../../src/domain/cancellation.ts';

const [first, second] = [new Error('first'), new Error('second')];

describe('a cancellation', () => {
  it('tells each listener once, and keeps its first reason', () => {
    const cancellation = new Cancellation();
    const told: unknown[] = [];
    cancellation.onCancel(() => told.push(cancellation.reason));
    cancellation.onCancel(() => told.push('two'));
    cancellation.onCancel(() => told.push('left'))();
    expect(cancellation.reason).toBeUndefined();
    cancellation.cancel(first);
    cancellation.cancel(second);
    expect(told).toEqual([first, 'two']);
    expect(cancellation.reason).toBe(first);
  });
  it('tells who comes late at once', () => {
    const cancellation = new Cancellation();
    cancellation.cancel(first);
    let told = 0;
    cancellation.onCancel(() => (told += 1))();
    expect(told).toBe(1);
    expect(cancellation.signal).toMatchObject({ aborted: true, reason: first });
  });
  it('is a signal for what takes no less', () => {
    const cancellation = new Cancellation();
    const { signal } = cancellation;
    expect(signal.aborted).toBe(false);
    cancellation.cancel(first);
    expect(cancellation.signal).toBe(signal);
    expect(signal).toMatchObject({ aborted: true, reason: first });
  });
  it('follows a signal', () => {
    const abort = new AbortController();
    const cancellation = Cancellation.of(abort.signal);
    abort.abort('a text');
    expect(cancellation.reason).toMatchObject({ message: 'a text' });
    expect(Cancellation.of(AbortSignal.abort(second)).reason).toBe(second);
  });
});
