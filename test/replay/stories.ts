/** Stories that golden logs are recorded from, told by the real reconciler on a fake engine with a virtual clock. */
import { botStream } from '../../src/domain/bot-event.ts';
import type { BotRequest, BotSpec, Desired } from '../../src/domain/bot.ts';
import type { BotState } from '../../src/domain/bot-state.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { BOT_STREAMS } from '../../src/domain/streams.ts';
import type { StoredEvent } from '../../src/domain/recorded.ts';
import { specHash } from '../../src/domain/spec-hash.ts';
import { createReconcileBot } from '../../src/controllers/reconcile-bot.ts';
import { createServiceState } from '../../src/controllers/service-state.ts';
import { createFakeEngine, type FakeEngine } from '../support/fake-engine.ts';
import { aSpec, T0 } from '../support/given.ts';
import { createMemoryEventStore } from '../support/memory-event-store.ts';
import { createMemorySnapshotStore } from '../support/memory-snapshot-store.ts';
import { silentLogger } from '../support/silent-logger.ts';

interface Stage {
  readonly world: FakeEngine;
  wish(change: Partial<BotSpec>, enabled?: boolean): void;
  gone(): void;
  ask(kind: BotRequest['kind']): void;
  wait(ms: number): void;
  /** A wake that is heard, and the timers that follow it until nothing is due within `withinMs`. */
  settle(withinMs?: number): Promise<void>;
}

const tell = async (story: (stage: Stage) => Promise<void>): Promise<{ events: StoredEvent[]; end: BotState }> => {
  let time = T0;
  const now = (): number => time;
  const world = createFakeEngine(now);
  const events = createMemoryEventStore(now);
  const states = createServiceState({ events, snapshots: createMemorySnapshotStore() });
  let desired: Desired = { kind: 'gone' };
  let requests: BotRequest[] = [];
  const reconcile = createReconcileBot({
    events,
    engine: world.engine,
    states,
    desiredOf: () => Promise.resolve({ desired: desired.kind === 'spec' ? { ...desired, requests } : desired }),
    requestsTaken: () => Promise.resolve(void (requests = [])),
    diskFree: () => Promise.resolve(undefined),
    policyOf: () => DEFAULT_POLICY,
    streams: BOT_STREAMS,
    clock: { now, random: () => 0.5, monotonic: now, after: () => () => undefined, at: () => () => undefined },
    logger: silentLogger,
  });
  await story({
    world,
    wish: (change, enabled = true) => {
      const spec = aSpec(change);
      desired = { kind: 'spec', spec, hash: specHash(spec), enabled, drained: false, requests: [] };
    },
    gone: () => (desired = { kind: 'gone' }),
    ask: (kind) =>
      (requests = [{ requestId: `${kind}-${String(time)}`, kind, actor: 'ann', reason: 'story', at: time }]),
    wait: (ms) => (time += ms),
    settle: async (withinMs = 0) => {
      for (;;) {
        const after = await reconcile('alpha', [{ kind: 'timer' }]);
        if (after === undefined || after > withinMs) return;
        time += after;
      }
    },
  });
  const commits = await events.read(botStream('alpha'));
  return { events: commits.flatMap((commit) => commit.events), end: (await states.load('alpha')).state };
};

export const STORIES: Readonly<Record<string, () => ReturnType<typeof tell>>> = {
  lifecycle: () =>
    tell(async ({ world, wish, gone, ask, wait, settle }) => {
      wish({});
      await settle(60_000);
      wait(1_000);
      await world.hands.exit('alpha', 1);
      await settle(2_000);
      wish({ config: { symbol: 'ETH' } });
      await settle();
      wish({ config: { symbol: 'ETH' } }, false);
      await settle();
      wish({ config: { symbol: 'ETH' } });
      await settle();
      await world.hands.pause('alpha');
      await settle();
      await world.hands.unpause('alpha');
      await settle();
      wait(10);
      await world.hands.restart('alpha');
      await settle();
      ask('restart');
      await settle();
      await world.hands.remove('alpha');
      await settle(5_000);
      gone();
      await settle();
      wish({});
      await settle();
    }),
  'crash-loop': () =>
    tell(async ({ world, wish, ask, settle }) => {
      wish({});
      await settle();
      for (let n = 0; n < 10; n += 1) {
        await world.hands.exit('alpha', 137);
        await settle(59_999);
      }
      ask('reset');
      await settle();
      await world.hands.exit('alpha', 0);
      await settle(59_999);
    }),
  'stubborn-stop': () =>
    tell(async ({ world, wish, settle }) => {
      world.stubborn = true;
      wish({ restartPolicy: 'on-failure' });
      await settle();
      wish({ restartPolicy: 'on-failure' }, false);
      await settle(30_000);
      wish({ restartPolicy: 'on-failure' });
      await settle();
      await world.hands.exit('alpha', 0);
      await settle(5_000);
    }),
};
