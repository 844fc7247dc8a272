/** The API on real embedded stores, without an engine: for what the API itself says and refuses. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { createApp } from '../../src/api/create-app.ts';
import { createDrover, mintId, type Drover } from '../../src/main.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { DEFAULT_POLICY, type BotPolicy } from '../../src/domain/policy.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import { createFakeEngine, type FakeEngine } from './fake-engine.ts';
import { noPredecessor } from './no-predecessor.ts';
import { silentLogger } from './silent-logger.ts';
import { DEFAULTS } from './spec-defaults.ts';

export interface ServedApp {
  readonly app: Hono;
  readonly world: FakeEngine;
  /** That keeps runs. */
  readonly runs: FakeEngine;
  readonly stores: Awaited<ReturnType<typeof openEmbeddedStores>>;
  readonly states: Drover['states'];
  readonly schedules: Drover['schedules'];
  readonly logger: Logger;
  close(): Promise<void>;
}

export interface ServedOptions {
  /** Instead of a new one. */
  readonly dataDir?: string;
  readonly resyncIntervalMs?: number;
  readonly policy?: Partial<BotPolicy>;
  /** Default: a silent one. */
  readonly logger?: Logger;
  /** Puts something between the service and its engine. */
  readonly wrap?: (engine: Engine) => Engine;
}

/** `token`: as API_TOKEN. */
export const openApp = async (token?: string, options: ServedOptions = {}): Promise<ServedApp> => {
  const logger = options.logger ?? silentLogger;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'drover-api-')));
  const stores = await openEmbeddedStores({ dataDir, writer: 'test', now: () => Date.now() });
  const world = createFakeEngine(() => Date.now());
  const runs = createFakeEngine(() => Date.now());
  const drover = await createDrover({
    ...stores,
    bots: { ...stores.offices.bots, engine: options.wrap?.(world.engine) ?? world.engine },
    runs: { ...stores.offices.runs, engine: runs.engine },
    predecessor: noPredecessor,
    policy: { ...DEFAULT_POLICY, ...options.policy },
    defaults: DEFAULTS,
    resyncIntervalMs: options.resyncIntervalMs ?? 3_600_000,
    clock: systemClock,
    logger,
    tell: () => undefined,
  });
  await drover.start();
  const app = createApp({
    ...stores,
    fleet: drover.states,
    troubleOf: drover.troubleOf,
    scheduleReaders: drover.schedules,
    transitions: drover.transitions,
    guard: drover.guard,
    takeover: drover.takeover,
    orphans: drover.orphans,
    stateSnapshots: drover.stateSnapshots,
    readiness: drover.readiness,
    clock: systemClock,
    mintId,
    defaults: DEFAULTS,
    token,
  });
  return {
    app,
    world,
    runs,
    stores,
    states: drover.states,
    schedules: drover.schedules,
    logger,
    async close() {
      await drover.stop(2_000);
      await stores.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

export const aDocument = (id: string, config: object = {}): Record<string, unknown> => ({
  id,
  config: { name: id, type: `realtime/${id}`, version: '1.0.0', ...config },
  custom: {
    version: '1.0.0',
    filePath: `u/${id}/1.0.0`,
    config: { runtime: 'nodejs20', type: 'realtime', entrypoints: { bot: 'main.js' } },
  },
});
