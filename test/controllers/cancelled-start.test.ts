/** A start that waits for its image or its code holds up neither a disable nor a delete (row E16). */
import { describe, expect, it } from 'vitest';
import { createReconcileBot } from '../../src/controllers/reconcile-bot.ts';
import { createServiceState } from '../../src/controllers/service-state.ts';
import type { Desired } from '../../src/domain/bot.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { specHash } from '../../src/domain/spec-hash.ts';
import { BOT_STREAMS } from '../../src/domain/streams.ts';
import { createFakeEngine } from '../support/fake-engine.ts';
import { aSpec, T0 } from '../support/given.ts';
import { createMemoryEventStore } from '../support/memory-event-store.ts';
import { createMemorySnapshotStore } from '../support/memory-snapshot-store.ts';
import { silentLogger } from '../support/silent-logger.ts';

const spec = aSpec();
const wished = (enabled: boolean): Desired => ({
  kind: 'spec',
  spec,
  hash: specHash(spec),
  enabled,
  drained: false,
  requests: [],
});

describe('a start that waits', () => {
  it.each([
    ['disabled', wished(false), 'stopped'],
    ['deleted', { kind: 'gone' } as const, 'deleted'],
  ] as const)('case E16: ends when its bot is %s, and not when nothing has changed', async (_what, after, state) => {
    const now = (): number => T0;
    const { engine } = createFakeEngine(now);
    const events = createMemoryEventStore(now);
    const states = createServiceState({ events, snapshots: createMemorySnapshotStore() });
    let desired: Desired = wished(true);
    let waiting = 0;
    let aborted = 0;
    let nudge: () => void = () => undefined;
    const reconcile = createReconcileBot({
      events,
      engine: {
        ...engine,
        ensureContainer: (_plan, signal) => {
          waiting += 1;
          return new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => {
              aborted += 1;
              reject(signal.reason as Error);
            });
          });
        },
      },
      states,
      desiredOf: () => Promise.resolve({ desired }),
      requestsTaken: () => Promise.resolve(),
      diskFree: () => Promise.resolve(undefined),
      policyOf: () => DEFAULT_POLICY,
      streams: BOT_STREAMS,
      clock: { now, random: () => 0.5, monotonic: now, after: () => () => undefined, at: () => () => undefined },
      logger: silentLogger,
    });
    const turn = reconcile('alpha', [{ kind: 'timer' }], (listener) => {
      nudge = listener;
      return () => (nudge = () => undefined);
    });
    await expect.poll(() => waiting).toBe(1);
    nudge();
    await new Promise((resolve) => setImmediate(resolve));
    expect(aborted).toBe(0);
    desired = after;
    nudge();
    await turn;
    expect([waiting, aborted]).toEqual([1, 1]);
    const { state: end } = await states.load('alpha');
    expect(end.at).toBe(state);
    expect(end.context.lastFailure).toBeNull();
  });
});
