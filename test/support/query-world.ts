/** The query plane on fakes of its two outer ports, with bots in whatever state a test wants. */
import { Readable } from 'node:stream';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { createQueryApp } from '../../src/api/query-app.ts';
import type { QueryLimits } from '../../src/api/query-routes.ts';
import { createQueries, type Queries } from '../../src/controllers/queries/create-queries.ts';
import type { QueryPolicy } from '../../src/controllers/queries/query-policy.ts';
import type { BotContext, StatePath } from '../../src/domain/bot-state.ts';
import { DroverError, type ErrorCode } from '../../src/domain/errors.ts';
import type { ScheduleState } from '../../src/domain/schedule-state.ts';
import { BOT } from '../../src/machines/machine.ts';
import type { Versioned } from '../../src/machines/snapshot.ts';
import type { BotState } from '../../src/domain/bot-state.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { QueryCall, QueryContainer, QueryContainers, QueryPlan } from '../../src/ports/query-containers.ts';
import type { ProxyReply, ProxyRequest } from '../../src/ports/query-proxy.ts';
import type { ScheduleStore, SpecStore } from '../../src/ports/spec-store.ts';
import { aDocument } from './served.ts';
import { DEFAULTS } from './spec-defaults.ts';

export interface FakeReply {
  readonly status?: number;
  readonly contentType?: string;
  readonly bytes?: number;
  readonly body: Readable | string;
}

export type Running = (request: ProxyRequest) => FakeReply | Promise<FakeReply>;
export type Ephemeral = (call: QueryCall, signal: AbortSignal) => Promise<{ exitCode: number; body: string }>;

export interface QueryWorld {
  readonly queries: Queries;
  readonly app: ReturnType<typeof createQueryApp>;
  /** Puts a bot into a state; `undefined`: no log knows it. */
  bot(id: string, at: StatePath, more?: Partial<BotContext>): void;
  schedule(id: string): void;
  document(id: string, document: unknown): void;
  readonly plans: QueryPlan[];
  readonly live: Set<QueryContainer>;
  most: number;
  readonly asked: ProxyRequest[];
  looks: number;
  running: Running;
  ephemeral: Ephemeral;
  openFails: ErrorCode | undefined;
  beforeOpen: () => Promise<void>;
  /** Undefined: it is gone at once. */
  beforeRemove: (botId: string) => Promise<void> | undefined;
  beforeRead: () => Promise<void>;
  endpoint: 'endpoint' | 'mute' | 'gone' | 'unreachable';
  storeAway: boolean;
  /** What other programs call a bot → its id. */
  readonly names: Map<string, string>;
  digest: string;
  memoryFree: number;
  send(method: string, path: string): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
  get(path: string): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
  post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>;
}

export const QUERY_DOC = (id: string): Record<string, unknown> => {
  const document = aDocument(id) as { custom: { config: { entrypoints: object } } };
  document.custom.config.entrypoints = { bot: 'main.js', query: 'query.js' };
  return document;
};

const OK = JSON.stringify({ status: 'ok', data: { x: 1 } });

/** `started`: the logs are read. */
export const openQueryWorld = (
  policy: Partial<QueryPolicy> = {},
  limits: Partial<QueryLimits> = {},
  started = true,
  clock: Clock = systemClock,
): QueryWorld => {
  const folds = new Map<string, Versioned<BotState>>();
  const schedules = new Map<string, Versioned<ScheduleState>>();
  const documents = new Map<string, unknown>();
  const read = (id: string) => {
    if (self.storeAway) return Promise.reject(new DroverError('STORE_UNAVAILABLE', 'the store is away'));
    const document = documents.get(id);
    return Promise.resolve(document === undefined ? undefined : { id, document, revision: 1, requests: [] });
  };
  const idOf = (name: string) => Promise.resolve(self.names.get(name));
  const store = { read, idOf, onChange: () => () => undefined };

  const containers: QueryContainers = {
    endpointOf: async () => {
      await self.beforeRead();
      self.looks += 1;
      if (self.endpoint !== 'endpoint') return { kind: self.endpoint };
      const endpoint = {
        via: 'address',
        host: '',
        port: 1,
        holds: () => true,
        lives: () => true,
        release: () => undefined,
        confirm: () => Promise.resolve(true),
      } as const;
      return { kind: 'endpoint', endpoint };
    },
    open: async (plan) => {
      await self.beforeOpen();
      if (self.openFails !== undefined) throw new DroverError(self.openFails, 'told to fail');
      self.plans.push(plan);
      const ended = new AbortController();
      const container: QueryContainer = {
        id: String(self.plans.length),
        ended: ended.signal,
        ask: async (call, signal) => {
          const { exitCode, body } = await self.ephemeral(call, signal);
          const bytes = Buffer.from(body);
          return {
            exitCode,
            bytes: bytes.length,
            body: Readable.from([bytes], { objectMode: false }),
            state: 'volume',
          };
        },
        remove: () => {
          ended.abort();
          const gone = (): void => {
            self.live.delete(container);
          };
          const waits = self.beforeRemove(plan.spec.id);
          if (waits !== undefined) return waits.then(gone);
          gone();
          return Promise.resolve();
        },
      };
      self.live.add(container);
      self.most = Math.max(self.most, self.live.size);
      return Promise.resolve(container);
    },
    sweep: () => Promise.resolve(),
    memoryFree: () => self.memoryFree,
  };

  const queries = createQueries({
    states: { folds: () => folds },
    scheduleStates: { folds: () => schedules },
    specs: store as unknown as SpecStore,
    schedules: { ...store, read: () => Promise.resolve(undefined) } as unknown as ScheduleStore,
    archives: {
      digestOfCode: async () => {
        await self.beforeRead();
        return { sha256: self.digest, size: 1 };
      },
    } as never,
    defaults: DEFAULTS,
    clock,
    containers,
    proxy: {
      open: (endpoint) => ({
        endpoint,
        ask: async (request): Promise<ProxyReply> => {
          self.asked.push(request);
          const { status = 200, contentType = 'application/json', bytes, body } = await self.running(request);
          return {
            status,
            contentType,
            bytes,
            body: typeof body === 'string' ? Readable.from([Buffer.from(body)], { objectMode: false }) : body,
          };
        },
        close: () => undefined,
      }),
    },
    policy: {
      warmTtlMs: 60_000,
      containers: 2,
      queue: 2,
      inFlightPerBot: 4,
      maxReplyBytes: 1_000_000,
      settleMs: 1_000,
      ...policy,
    },
  });
  if (started) queries.start();
  const answer = async (response: Response) => {
    const text = await response.text();
    let body: Record<string, unknown>;
    try {
      body = JSON.parse(text) as Record<string, unknown>;
    } catch {
      body = { text };
    }
    return { status: response.status, body, headers: response.headers };
  };

  const self: QueryWorld = {
    queries,
    app: createQueryApp({
      queries: queries.handler,
      // Long: a query ends by its time only where the test is about that.
      limits: { timeoutMs: 60_000, maxTimeoutMs: 60_000, maxBodyBytes: 64 * 1024, ...limits },
      readiness: () => Promise.resolve([]),
      token: undefined,
      open: false,
    }),
    bot(id, at, more = {}) {
      const container = { ref: { node: 'n', id: `c-${id}` }, startedAt: 0 } as unknown as BotContext['container'];
      const live = at === 'running' || at === 'stopping';
      const context = { ...BOT.initial.context, incarnation: 1, container: live ? container : null, ...more };
      folds.set(id, { state: { at, context }, version: 1 });
      if (!documents.has(id)) documents.set(id, QUERY_DOC(id));
    },
    schedule(id) {
      schedules.set(id, { state: { at: 'armed', context: { incarnation: 1 } } as ScheduleState, version: 1 });
    },
    document: (id, document) => void documents.set(id, document),
    plans: [],
    live: new Set(),
    most: 0,
    asked: [],
    looks: 0,
    running: () => ({ body: OK }),
    ephemeral: () => Promise.resolve({ exitCode: 0, body: OK }),
    openFails: undefined,
    beforeOpen: () => Promise.resolve(),
    beforeRemove: () => undefined,
    beforeRead: () => Promise.resolve(),
    endpoint: 'endpoint',
    storeAway: false,
    names: new Map(),
    digest: 'd1',
    memoryFree: 0.9,
    send: async (method, path) => answer(await self.app.request(`http://localhost${path}`, { method })),
    get: async (path) => answer(await self.app.request(`http://localhost${path}`)),
    post: async (path, body) =>
      answer(
        await self.app.request(`http://localhost${path}`, {
          method: 'POST',
          body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
        }),
      ),
  };
  return self;
};
