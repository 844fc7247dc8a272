/** A whole drover in this process: real engine, real stores, real bots; and ways to look at it from outside. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { ZipFile } from 'yazl';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { RunningBot } from '../../src/domain/running-bot.ts';
import type { Transition } from '../../src/domain/transition.ts';
import type { QueryParts } from '../../src/controllers/queries/create-queries.ts';
import { createDrover, mintId, type Drover } from '../../src/main.ts';
import type { ArchiveStore } from '../../src/ports/archive-store.ts';
import type { Asked } from '../../src/ports/spec-store.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { StoreAccessSource } from '../../src/ports/store-access-source.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import { DEFAULT_POLICY, type BotPolicy } from '../../src/domain/policy.ts';
import { DEFAULT_BOUNDS } from '../../src/domain/spec-bounds.ts';
import { dockerAt } from '../../scripts/docker-at.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import { until } from '../../scripts/until.ts';
import { referenceDocument, type DocumentChange } from './reference-document.ts';
import { realEngine } from './real-engine.ts';
import { noPredecessor } from './no-predecessor.ts';
import { silentLogger } from './silent-logger.ts';
import { markAll, newInstall } from './test-run.ts';

export const HOST = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
export const IMAGE = process.env['TEST_IMAGE'] ?? 'drover-bot:latest';
export const docker: Docker = markAll(dockerAt(HOST));

/** Ends quickly on SIGTERM, runs until then. */
export const LOOPING = `exports.main = async () => { process.on('SIGTERM', () => process.exit(0)); const beat = () => console.log('beat'); beat(); setInterval(beat, 1_000); await new Promise(() => {}); };`;

/** One time for all: the same files are the same archive then, and its code is cached once for all bots of a test. */
const mtime = new Date('2026-01-01T00:00:00Z');

export const zipOf = (files: Readonly<Record<string, string | Buffer>>): Readable => {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content as string), name, { mtime });
  zip.end();
  return Readable.from(zip.outputStream);
};

export const asked = (action = 'test'): Asked => ({ requestId: mintId(), actor: 'test', action, at: Date.now() });

export interface SpineOptions {
  readonly resyncIntervalMs?: number;
  readonly policy?: Partial<BotPolicy>;
  readonly host?: string;
  /** Deadline of an engine call, ms. */
  readonly deadlineMs?: number;
  readonly dataDir?: string;
  readonly install?: string;
  /** Another archive store than the folder, and the keys for its parts. */
  readonly archives?: ArchiveStore;
  readonly access?: StoreAccessSource;
  /** Changes of documents are not heard. */
  readonly deafToSpecs?: boolean;
  /** Puts something between the service and its engine. */
  readonly wrap?: (engine: Engine) => Engine;
  readonly wrapRuns?: (engine: Engine) => Engine;
  /** Another network than that of all bots. */
  readonly network?: string;
  /** Query servers of bots are published on loopback. */
  readonly publishQueries?: boolean;
  readonly queries?: (made: { readonly install: string; readonly archives: ArchiveStore }) => QueryParts;
  /** The same for the log that ScheduleService writes. */
  readonly wrapRunEvents?: (events: EventStore) => EventStore;
}

export interface Spine {
  readonly drover: Drover;
  readonly install: string;
  readonly dataDir: string;
  readonly stores: Awaited<ReturnType<typeof openEmbeddedStores>>;
  readonly archives: ArchiveStore;
  readonly told: readonly Transition[];
  document(id: string, change?: DocumentChange): object;
  /** Uploads `code` and puts a document for it. */
  deploy(id: string, code?: string, change?: Parameters<Spine['document']>[1]): Promise<void>;
  put(id: string, document: unknown): Promise<void>;
  bot(id: string): RunningBot | undefined;
  /** Waits for a state; generous, because machines are shared. */
  reaches(id: string, state: RunningBot['state'], also?: (bot: RunningBot) => boolean): Promise<RunningBot>;
  /** All containers of the install, of one bot when given. */
  containers(id?: string): Promise<Docker.ContainerInfo[]>;
  events(id: string): string[];
  /** Stops the service and leaves everything else as it is. */
  halt(): Promise<void>;
  /** Stops the service and removes all that it made. */
  end(): Promise<void>;
}

export const startSpine = async (options: SpineOptions = {}): Promise<Spine> => {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'drover-spine-')));
  const install = options.install ?? newInstall();
  const stores = await openEmbeddedStores({ dataDir, installId: install, writer: 'test', now: () => Date.now() });
  const archives = options.archives ?? stores.archives;
  const engineOf = (role: 'bot' | 'run'): Engine =>
    realEngine(
      { host: options.host ?? HOST, install, archives },
      {
        role,
        publishQueries: options.publishQueries === true,
        ...(options.network === undefined ? {} : { network: options.network }),
        ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
        ...(options.access === undefined ? {} : { access: options.access }),
      },
    );
  const real = engineOf('bot');
  const engine = options.wrap?.(real) ?? real;
  const ofRuns = engineOf('run');
  const runEngine = options.wrapRuns?.(ofRuns) ?? ofRuns;
  const told: Transition[] = [];
  const drover = await createDrover({
    ...stores,
    archives,
    specs: options.deafToSpecs === true ? { ...stores.specs, onChange: () => () => undefined } : stores.specs,
    bots: { ...stores.offices.bots, engine },
    runs: {
      ...stores.offices.runs,
      events: options.wrapRunEvents?.(stores.offices.runs.events) ?? stores.offices.runs.events,
      engine: runEngine,
    },
    predecessor: noPredecessor,
    queries: options.queries?.({ install, archives }),
    policy: { ...DEFAULT_POLICY, backoffFirstMs: 300, backoffMaxMs: 2_000, healthyAfterMs: 5_000, ...options.policy },
    defaults: {
      image: IMAGE,
      limits: { memoryMb: 256, cpuShares: 512, pids: 128 },
      stopHookMs: 1_000,
      stopGraceMs: 10_000,
      finalSyncMs: 10_000,
      restartPolicy: 'always',
      bounds: { ...DEFAULT_BOUNDS, images: ['drover-no-such-image:*'] },
    },
    resyncIntervalMs: options.resyncIntervalMs ?? 3_600_000,
    clock: systemClock,
    logger: silentLogger,
    tell: (transition) => told.push(transition),
  });
  await drover.start();
  let halted = false;

  const self: Spine = {
    drover,
    install,
    dataDir,
    stores,
    archives,
    told,
    document: referenceDocument,
    async deploy(id, code = LOOPING, change = {}) {
      await archives.putCode(`test/${id}/1.0.0`, zipOf({ 'main.js': code }));
      await self.put(id, self.document(id, change));
    },
    async put(id, document) {
      await stores.specs.put(id, document, asked('apply'));
    },
    bot: (id) => drover.states.get(id),
    async reaches(id, state, also = () => true) {
      const look = (): RunningBot | undefined => {
        const bot = drover.states.get(id);
        return bot?.state === state && also(bot) ? bot : undefined;
      };
      const otherwise = (): string => `${id} does not reach ${state}: ${JSON.stringify(drover.states.get(id))}`;
      return until(look, { within: 120_000, otherwise });
    },
    containers: (id) =>
      docker.listContainers({
        all: true,
        // Of one bot: not what we run beside its volumes for a moment.
        filters: {
          label: [`drover.install=${install}`, ...(id === undefined ? [] : [`runtime.id=${id}`, 'drover.role=bot'])],
        },
      }),
    events: (id) => told.filter(({ botId }) => botId === id).map(({ event }) => event.type),
    async halt() {
      if (halted) return;
      halted = true;
      await drover.stop(8_000);
      await stores.close();
    },
    async end() {
      await self.halt();
      await removeInstall(docker, install);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return self;
};
