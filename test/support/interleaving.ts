/**
 * Any interleaving of wishes, hands on the container, lost wakes and crashes of the controller at any step, run against
 * the ports that are given: a fake engine with a virtual clock, or a real engine with real stores. Whatever happened,
 * there is never a twin, and in the end what is equals what is wished and the log's fold is the live state.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { botStream } from '../../src/domain/bot-event.ts';
import type { BotRequest, Desired } from '../../src/domain/bot.ts';
import type { BotPolicy } from '../../src/domain/policy.ts';
import { BOT_STREAMS } from '../../src/domain/streams.ts';
import { specHash } from '../../src/domain/spec-hash.ts';
import { createReconcileBot } from '../../src/controllers/reconcile-bot.ts';
import { createServiceState, type ServiceState } from '../../src/controllers/service-state.ts';
import { fold, initialState } from '../../src/machines/evolve.ts';
import { upcast } from '../../src/machines/upcast.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { SnapshotStore } from '../../src/ports/snapshot-store.ts';
import type { BotSpec } from '../../src/domain/bot.ts';
import type { Hands } from './fake-engine.ts';
import { silentLogger } from './silent-logger.ts';

export type Step =
  | { readonly do: 'enable' | 'disable' | 'change' | 'delete' | 'put' | 'restart' | 'reset' | 'break' }
  | { readonly do: 'exit'; readonly code: number }
  | { readonly do: 'pause' | 'unpause' | 'handRestart' | 'handRemove' | 'forgetSnapshots' }
  | { readonly do: 'advance'; readonly ms: number }
  /** A wake that is heard; the controller dies at the n-th step it takes, if it comes that far. */
  | { readonly do: 'pass'; readonly dieAt: number | null };

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pass' as const), dieAt: fc.option(fc.nat(9)) }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('enable', 'disable', 'change', 'delete', 'put', 'restart', 'reset', 'break')
      .map((what): Step => ({ do: what })),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('pause', 'unpause', 'handRestart', 'handRemove', 'forgetSnapshots')
      .map((what): Step => ({ do: what })),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('exit' as const), code: fc.constantFrom(0, 1, 137) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(50, 1_500, 45_000) }) },
);

export interface Setting {
  readonly spec: BotSpec;
  readonly engine: Engine;
  readonly hands: Hands;
  readonly live: (botId: string) => Promise<readonly { readonly specHash: string }[]>;
  readonly events: EventStore;
  readonly snapshots: SnapshotStore;
  readonly policy: BotPolicy;
  readonly now: () => number;
  /** Lets time pass: a virtual clock jumps, a real one waits. */
  readonly pass: (ms: number) => Promise<void>;
}

class ControllerDied extends Error {}

/** Counts steps across the ports and dies before or after the one that is due. */
const mortal = <T extends object>(target: T, verbs: readonly (keyof T)[], step: () => void): T => {
  const wrapped = { ...target };
  for (const verb of verbs) {
    const real = target[verb] as unknown as (...args: unknown[]) => Promise<unknown>;
    wrapped[verb] = (async (...args: unknown[]) => {
      step();
      const result = await real.apply(target, args);
      step();
      return result;
    }) as unknown as T[typeof verb];
  }
  return wrapped;
};

export const runInterleaving = async (setting: Setting, steps: readonly Step[]): Promise<void> => {
  const { spec, engine, hands, live, events, snapshots, policy, now, pass } = setting;
  const botId = spec.id;
  let enabled = true;
  let exists = true;
  let broken = false;
  let revision = 0;
  let requests: BotRequest[] = [];
  let asks = 0;
  let wakeAt = null as number | null;

  const currentSpec = (): BotSpec => ({ ...spec, config: { ...spec.config, revision } });
  const desired = (): Desired => {
    if (!exists) return { kind: 'gone' };
    if (broken) return { kind: 'invalid', code: 'DOCUMENT_INVALID', reason: 'broken', enabled: undefined };
    return { kind: 'spec', spec: currentSpec(), hash: specHash(currentSpec()), enabled, drained: false, requests };
  };

  let dieAt: number | null = null;
  let taken = 0;
  const step = (): void => {
    if (dieAt !== null && taken++ >= dieAt) throw new ControllerDied('kill -9');
  };
  const boot = async (): Promise<{ states: ServiceState; reconcile: ReturnType<typeof createReconcileBot> }> => {
    const states = createServiceState({ events, snapshots });
    await states.restore();
    const reconcile = createReconcileBot({
      events: mortal(events, ['append'], step),
      engine: mortal(
        engine,
        ['ensureContainer', 'ensureStarted', 'ensureSignalled', 'ensureRemoved', 'ensureSetAside'],
        step,
      ),
      states,
      desiredOf: () => Promise.resolve({ desired: desired() }),
      requestsTaken: (_, asked) => {
        requests = requests.filter(({ requestId }) => !asked.some((one) => one.requestId === requestId));
        return Promise.resolve();
      },
      diskFree: () => Promise.resolve(undefined),
      policyOf: () => policy,
      streams: BOT_STREAMS,
      clock: { now, random: () => 0.5, monotonic: now, after: () => () => undefined, at: () => () => undefined },
      logger: silentLogger,
    });
    return { states, reconcile };
  };
  let controller = await boot();

  const checkNoTwin = async (): Promise<void> => {
    expect((await live(botId)).length, 'live containers of one bot').toBeLessThanOrEqual(1);
  };
  const wake = async (dies: number | null): Promise<void> => {
    dieAt = dies;
    taken = 0;
    try {
      const after = await controller.reconcile(botId, [{ kind: 'timer' }]);
      wakeAt = after === undefined ? null : now() + after;
    } catch (error) {
      // A dead controller's memory is gone: effects that swallowed the death show it in the next boot.
      if (!(error instanceof ControllerDied)) throw error;
    }
    if (dies !== null && taken > dies) {
      await controller.states.saveSnapshots();
      controller = await boot();
    }
    dieAt = null;
    await checkNoTwin();
  };
  const ask = (kind: BotRequest['kind']): void => {
    asks += 1;
    requests = [...requests, { requestId: `r${String(asks)}`, kind, actor: 'test', reason: '', at: now() }];
  };

  const perform = async (one: Step): Promise<void> => {
    switch (one.do) {
      case 'enable':
        enabled = true;
        break;
      case 'disable':
        enabled = false;
        break;
      case 'change':
        revision += 1;
        break;
      case 'delete':
        exists = false;
        break;
      case 'put':
        exists = true;
        broken = false;
        break;
      case 'break':
        broken = true;
        break;
      case 'restart':
      case 'reset':
        ask(one.do);
        break;
      case 'exit':
        await hands.exit(botId, one.code);
        break;
      case 'pause':
        await hands.pause(botId);
        break;
      case 'unpause':
        await hands.unpause(botId);
        break;
      case 'handRestart':
        await hands.restart(botId);
        break;
      case 'handRemove':
        await hands.remove(botId);
        break;
      case 'forgetSnapshots':
        await snapshots.clear();
        break;
      case 'advance':
        await pass(one.ms);
        break;
      case 'pass':
        await wake(one.dieAt);
        break;
    }
  };

  for (const one of steps) {
    await perform(one);
    await checkNoTwin();
  }

  // The faults are over: the document is whole again and wakes are heard.
  broken = false;
  await hands.unpause(botId);
  ask('reset');
  await wake(null);
  for (let round = 0; round < 80; round += 1) {
    const before = await events.head();
    if (wakeAt !== null) await pass(Math.max(0, wakeAt - now()) + 1);
    await wake(null);
    if (wakeAt === null && (await events.head()) === before) break;
  }

  const { state } = await controller.states.load(botId);
  const running = await live(botId);
  const wished = { exists, enabled };
  if (wished.exists && wished.enabled) {
    expect(state.at).toBe('running');
    expect(running.map((container) => container.specHash)).toEqual([specHash(currentSpec())]);
  } else {
    // A document that never was leaves no bot to delete.
    expect(['stopped', 'deleted']).toContain(state.at);
    expect(running).toEqual([]);
  }
  const stored = (await events.read(botStream(botId))).flatMap((commit) => commit.events.map(upcast));
  expect(fold(initialState, stored), 'the log folds to the live state').toEqual(state);
};
