/** The engine port in memory, with the quirks that matter: names lock, ids do not come back, exits stay to be seen. */
import type { ContainerPlan } from '../../src/domain/effect.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { instanceId } from '../../src/domain/run-id.ts';
import {
  isLive,
  type ContainerStatus,
  type ObservedContainer,
  type ObservedExit,
} from '../../src/domain/observation.ts';
import type { Engine, Tool } from '../../src/ports/container-tools.ts';

interface FakeContainer {
  readonly botId: string;
  readonly id: string;
  readonly plan: ContainerPlan;
  status: ContainerStatus;
  startedAt: number;
  exit?: ObservedExit;
}

/** What a hand can do to a container behind the controller's back. */
export interface Hands {
  exit(botId: string, code: number): Promise<void>;
  pause(botId: string): Promise<void>;
  unpause(botId: string): Promise<void>;
  restart(botId: string): Promise<void>;
  remove(botId: string): Promise<void>;
}

export interface FakeEngine {
  readonly engine: Engine;
  readonly hands: Hands;
  /** All live containers of a bot, whatever their name. */
  live(botId: string): Promise<readonly { readonly specHash: string }[]>;
  /** From now on SIGTERM is ignored (true) or obeyed. */
  stubborn: boolean;
  /** The archive store does not answer: last syncs fail, also those from volumes. */
  storeAway: boolean;
  diskFree: number | undefined;
  /** Short-lived containers that were asked for, and what they say. */
  readonly tools: Tool[];
  toolOutput: string;
}

export const createFakeEngine = (now: () => number): FakeEngine => {
  const byName = new Map<string, FakeContainer>();
  let made = 0;
  const find = (id: string): FakeContainer | undefined => [...byName.values()].find((container) => container.id === id);
  const end = (container: FakeContainer, code: number): void => {
    container.status = 'exited';
    const kept = !self.storeAway;
    const { attempt } = container.plan;
    container.exit = {
      code,
      oomKilled: false,
      finishedAt: now(),
      logTail: [`last line of ${container.botId}`],
      inEngineGap: false,
      // Who is killed says nothing any more.
      ...(code === 137
        ? {}
        : { report: { attempt, phase: 'bot' as const, code, final: { stateSynced: kept, logsShipped: kept } } }),
    };
  };
  const must = (id: string): FakeContainer => {
    const container = find(id);
    if (container === undefined) throw new DroverError('ENGINE_ERROR', 'no such container');
    return container;
  };
  const run = (container: FakeContainer): void => {
    container.status = 'running';
    container.startedAt = now() + made / 1_000;
    delete container.exit;
  };
  const observed = (container: FakeContainer): ObservedContainer => ({
    ref: { node: 'fake', id: container.id },
    status: container.status,
    pid: isLive(container.status) ? 1 : 0,
    attempt: container.plan.attempt,
    incarnation: container.plan.incarnation,
    generation: container.plan.generation,
    specHash: container.plan.specHash,
    startedAt: container.startedAt,
    ...(container.exit && { exit: container.exit }),
  });
  const done = (act: () => void): Promise<void> => Promise.resolve().then(act);
  const byHand =
    (when: (container: FakeContainer) => boolean, act: (container: FakeContainer) => void) => (botId: string) =>
      done(() => {
        const container = byName.get(botId);
        if (container !== undefined && when(container)) act(container);
      });

  const self: FakeEngine = {
    stubborn: false,
    storeAway: false,
    diskFree: undefined,
    tools: [],
    toolOutput: '{"state":{"status":"synced"}}',
    live: (botId) =>
      Promise.resolve(
        [...byName.values()]
          .filter((container) => container.botId === botId && isLive(container.status))
          .map(({ plan }) => ({ specHash: plan.specHash })),
      ),
    hands: {
      exit: (botId, code) =>
        byHand(
          ({ status }) => status === 'running',
          (container) => {
            end(container, code);
          },
        )(botId),
      pause: byHand(
        ({ status }) => status === 'running',
        (container) => (container.status = 'paused'),
      ),
      unpause: byHand(
        ({ status }) => status === 'paused',
        (container) => (container.status = 'running'),
      ),
      restart: byHand(
        ({ status }) => status !== 'created',
        (container) => {
          made += 1;
          run(container);
        },
      ),
      remove: byHand(
        () => true,
        ({ botId }) => byName.delete(botId),
      ),
    },
    engine: {
      observe: (botId) => {
        const container = byName.get(botId);
        return Promise.resolve(
          container === undefined
            ? { kind: 'absent', foreign: [] }
            : { kind: 'present', container: observed(container) },
        );
      },
      list: () =>
        Promise.resolve(
          [...byName.values()].map((container) => ({
            ...observed(container),
            botId: container.botId,
            named: true,
            aside: false,
          })),
        ),
      listForeign: () => Promise.resolve([]),
      ensureContainer: (plan) =>
        done(() => {
          const name = instanceId(plan);
          if (byName.has(name)) return;
          made += 1;
          const id = `c${String(made)}`;
          byName.set(name, { botId: name, id, plan, status: 'created', startedAt: 0 });
        }),
      ensureStarted: ({ id }) =>
        done(() => {
          const container = must(id);
          if (!isLive(container.status)) run(container);
        }),
      ensureSignalled: ({ id }, signal) =>
        done(() => {
          const container = find(id);
          if (container === undefined || !isLive(container.status)) return;
          if (signal === 'SIGKILL' || !self.stubborn) end(container, signal === 'SIGKILL' ? 137 : 0);
        }),
      ensureRemoved: ({ id }, force) =>
        done(() => {
          const container = find(id);
          if (container === undefined) return;
          if (isLive(container.status) && !force) throw new DroverError('ENGINE_ERROR', 'it runs');
          byName.delete(container.botId);
        }),
      ensureSetAside: () => done(() => undefined),
      runTool: (tool) => {
        self.tools.push(tool);
        return Promise.resolve({ code: self.storeAway ? 1 : 0, output: self.toolOutput, complaints: '' });
      },
      deliverAgain: () => done(() => undefined),
      renewAccess: () => Promise.resolve(undefined),
      listVolumes: () => Promise.resolve([]),
      removeVolume: () => done(() => undefined),
      removeScratch: () => Promise.resolve(0),
      diskFree: () => Promise.resolve(self.diskFree),
      removeLeftoverTools: () => Promise.resolve(0),
      watch: () => undefined,
      ping: () => Promise.resolve(),
      checkNetwork: () => Promise.resolve(),
    },
  };
  return self;
};
