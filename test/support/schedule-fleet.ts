/**
 * Both services on real embedded stores, a scripted engine and a clock of the test's own. Runs end as soon as they start,
 * with the code that the test says, unless it says that they go on.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import type { RunRecord } from '../../src/domain/scheduled-bot.ts';
import type { ScheduleRequest } from '../../src/domain/schedule.ts';
import type { Transition } from '../../src/domain/transition.ts';
import { createDrover, mintId, type Drover } from '../../src/main.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { InstanceRole } from '../../src/domain/naming.ts';
import type { EngineWatch } from '../../src/ports/container-engine.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { createFakeEngine, type FakeEngine } from './fake-engine.ts';
import { noPredecessor } from './no-predecessor.ts';
import { referenceSchedule, type ScheduleChange } from './reference-document.ts';
import { silentLogger } from './silent-logger.ts';
import { DEFAULTS } from './spec-defaults.ts';
import { createVirtualClock } from './virtual-clock.ts';

export interface FleetOptions {
  readonly startsAt: number;
  /** Exit code of a run, by its id; undefined: it goes on. */
  readonly endsWith?: (runId: string, attempt: number) => number | undefined;
  readonly logger?: Logger;
  readonly resyncIntervalMs?: number;
  /** Time passes by itself. */
  readonly live?: boolean;
  /** Puts something between the services and their scripted engines. */
  readonly wrap?: (engine: Engine, role: InstanceRole) => Engine;
}

export interface ScheduleFleet {
  readonly engine: FakeEngine;
  /** That keeps realtime bots. */
  readonly bots: FakeEngine;
  readonly told: readonly Transition[];
  drover(): Drover;
  now(): number;
  put(id: string, change: ScheduleChange): Promise<void>;
  putRaw(id: string, document: unknown): Promise<void>;
  remove(id: string): Promise<void>;
  /** The document of a realtime bot. */
  putBot(id: string, document: unknown): Promise<void>;
  /** The operator wishes that nothing runs, or no more so. */
  drain(is: boolean): Promise<void>;
  /** What was last written as next_execution_time, Unix seconds. */
  noted(id: string): number | undefined;
  ask(id: string, request: Record<string, unknown> & { readonly kind: ScheduleRequest['kind'] }): Promise<void>;
  /** From now on the store says nothing of these: it was emptied, or exchanged. */
  hide(ids: readonly string[]): void;
  /** A run ends by itself, and the engine tells it. */
  exit(runId: string, code: number): Promise<void>;
  /** Nothing is under way any more. */
  settle(): Promise<void>;
  /** Time passes up to then, each timer at its time. */
  until(at: number): Promise<void>;
  /** Time passes, and what follows is not waited for. */
  pass(ms: number): void;
  /** The clock is set: nothing happens in between. */
  jump(ms: number): Promise<void>;
  /** The controller ends, and another one begins on the same data; what happens in between happens without one. */
  restart(between?: () => void): Promise<void>;
  runs(id: string): Promise<readonly RunRecord[]>;
  close(): Promise<void>;
}

/** Quiet for so many looks in a row is idle. */
const QUIET_LOOKS = 4;
const LOOK_MS = 4;
/** What is due so soon belongs to what is under way: looks at the log, requests that one resync serves together. */
const MOMENT_MS = 60;

/** Counts the calls of a port that are under way: a machine under load must not pass for an idle one. */
const createTracker = () => {
  let underWay = 0;
  const track = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          const result: unknown = Reflect.apply(member, target, args);
          if (!(result instanceof Promise)) return result;
          underWay += 1;
          return result.finally(() => (underWay -= 1));
        };
      },
    });
  return { track, underWay: () => underWay };
};

export const createScheduleFleet = async (options: FleetOptions): Promise<ScheduleFleet> => {
  const { startsAt, endsWith = () => 0, logger = silentLogger, live = false } = options;
  const wrap = options.wrap ?? ((engine: Engine): Engine => engine);
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-schedules-'));
  const virtual = createVirtualClock(startsAt);
  const clock = live ? systemClock : virtual.clock;
  const now = (): number => clock.now();
  const bots = createFakeEngine(now);
  const runs = createFakeEngine(now);
  const told: Transition[] = [];
  const hidden = new Set<string>();
  const noted = new Map<string, number | undefined>();
  const { track, underWay } = createTracker();
  const watches: EngineWatch[] = [];
  const engine = track({
    ...runs.engine,
    watch: (watch: EngineWatch) => void watches.push(watch),
    ensureStarted: async (...args: Parameters<typeof runs.engine.ensureStarted>) => {
      await runs.engine.ensureStarted(...args);
      const { spec, run, attempt } = args[1];
      const id = `${spec.id}/${run?.key ?? ''}`;
      const code = endsWith(id, attempt);
      if (code !== undefined) await runs.hands.exit(id, code);
    },
  });
  const passMoment = (): void => {
    if (live) return;
    const next = virtual.next() ?? Infinity;
    virtual.set(next - now() <= MOMENT_MS ? Math.max(next, now()) : now());
  };
  const open = async () => {
    const stores = await openEmbeddedStores({ dataDir, installId: 'fleet', writer: 'test', now });
    const drover = await createDrover({
      ...stores,
      specs: track(stores.specs),
      schedules: track({
        ...stores.schedules,
        read: (id) => (hidden.has(id) ? Promise.resolve(undefined) : stores.schedules.read(id)),
        readFleet: async () => {
          const read = await stores.schedules.readFleet();
          return { ...read, records: read.records.filter(({ id }) => !hidden.has(id)) };
        },
        noteNextExecution: (id, at) => {
          noted.set(id, at);
          return stores.schedules.noteNextExecution(id, at);
        },
      }),
      bots: { ...stores.offices.bots, engine: wrap(bots.engine, 'bot') },
      runs: { ...stores.offices.runs, events: track(stores.offices.runs.events), engine: wrap(engine, 'run') },
      predecessor: noPredecessor,
      policy: DEFAULT_POLICY,
      defaults: DEFAULTS,
      // No tick in a test that does not ask for one: its clock may pass over years.
      resyncIntervalMs: options.resyncIntervalMs ?? 1e12,
      clock,
      logger,
      tell: (transition) => told.push(transition),
    });
    await drover.start();
    // It leads, and has looked at everything once.
    while (drover.schedules.view.metrics().lastResyncAt === null) {
      await sleep(LOOK_MS);
      passMoment();
    }
    return { stores, drover };
  };
  const shut = async (): Promise<void> => {
    await current.drover.stop(5_000);
    await current.stores.close();
  };
  let current = await open();
  const asked = () => ({ requestId: mintId(), actor: 'test', action: 'apply', at: now() });
  const turns = (): number => current.drover.schedules.view.metrics().reconciles + told.length;

  const self: ScheduleFleet = {
    engine: runs,
    bots,
    told,
    drover: () => current.drover,
    now,
    putRaw: async (id, document) => {
      await current.stores.schedules.put(id, document, asked());
    },
    put: (id, change) => self.putRaw(id, referenceSchedule(id, change)),
    remove: async (id) => {
      await current.stores.schedules.remove(id, asked());
    },
    putBot: async (id, document) => {
      await current.stores.specs.put(id, document, asked());
    },
    drain: (is) => current.stores.specs.setDrain(is ? { ...asked(), reason: 'test' } : undefined),
    noted: (id) => noted.get(id),
    hide(ids) {
      for (const id of ids) hidden.add(id);
    },
    ask: (id, request) =>
      current.stores.schedules.addRequest(id, {
        requestId: mintId(),
        actor: 'test',
        reason: '',
        at: now(),
        ...request,
      } as ScheduleRequest),
    async exit(botId, code) {
      await runs.hands.exit(botId, code);
      for (const watch of watches) watch.onSignal({ botId, action: 'die', container: 'c', time: now() });
      await self.settle();
    },
    async settle() {
      for (let quiet = 0, before = -1; quiet < QUIET_LOOKS;) {
        await sleep(LOOK_MS);
        passMoment();
        const seen = turns();
        quiet = seen === before && underWay() === 0 ? quiet + 1 : 0;
        before = seen;
      }
    },
    async until(at) {
      await self.settle();
      for (let next = virtual.next(); next !== undefined && next <= at; next = virtual.next()) {
        virtual.set(Math.max(next, now()));
        await self.settle();
      }
      virtual.set(at);
      await self.settle();
    },
    pass(ms) {
      virtual.set(now() + ms);
    },
    async jump(ms) {
      virtual.jump(ms);
      await self.settle();
    },
    async restart(between = () => undefined) {
      await shut();
      between();
      current = await open();
      await self.settle();
    },
    runs: async (id) =>
      [...(await current.drover.schedules.history.list(id, { limit: 10_000, all: true })).runs].reverse(),
    async close() {
      await shut();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return self;
};
