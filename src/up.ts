/** `drover up`: the controller in the foreground. SIGTERM and SIGINT end it and leave every bot running. */
import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { connectDocker } from './adapters/docker/connect.ts';
import { createDockerEngine } from './adapters/docker/docker-engine.ts';
import { createPredecessor } from './adapters/docker/predecessor.ts';
import { createPinoLogger } from './adapters/log/pino-logger.ts';
import { createNatsBus } from './adapters/nats/nats-bus.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { createApp } from './api/create-app.ts';
import { createFrontDoor, type FrontDoor } from './api/front-door.ts';
import { serve, type Served } from './api/serve.ts';
import type { Config } from './config.ts';
import type { SpecDefaults } from './documents/bot-document.ts';
import { DELIVERY_ENV } from './domain/delivery.ts';
import { toDroverError } from './domain/errors.ts';
import { DEFAULT_POLICY, type BotPolicy } from './domain/policy.ts';
import { transitionJson, transitionLine, type Paint } from './domain/transition-line.ts';
import type { Transition } from './domain/transition.ts';
import type { InstanceRole } from './domain/naming.ts';
import { createDrover, createFence, mintId, type Drover, type Office } from './main.ts';
import type { Offices } from './ports/leadership.ts';
import type { Logger } from './ports/logger.ts';
import type { MessageBus } from './ports/message-bus.ts';
import { openStores, type Stores } from './stores.ts';

/** BotService, ScheduleService: what this process does; it shows both. */
export type Service = keyof Offices;

const COLOURS: Paint = { dim: pc.dim, good: pc.green, bad: pc.red, busy: pc.yellow, strong: pc.bold };
/** Fault R22: gone within 10 s, whatever is under way. */
const STOP_WITHIN_MS = 4_000;
const RETRY_MS = 1_000;
const isPretty = (config: Config): boolean =>
  config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stdout.isTTY);

const teller = (config: Config) => (transition: Transition) => {
  const line = isPretty(config) ? transitionLine(transition, COLOURS) : JSON.stringify(transitionJson(transition));
  process.stdout.write(`${line}\n`);
};

const untilAsked = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal);
      });
    }
  });

const defaultsOf = (config: Config): SpecDefaults => ({
  image: config.runtimeImage,
  limits: { memoryMb: config.memoryLimitMb, cpuShares: config.cpuShares, pids: config.pidsLimit },
  stopHookMs: config.stopHook,
  stopGraceMs: config.stopGrace,
  finalSyncMs: config.finalSync,
  restartPolicy: config.restartPolicy,
});

const policyOf = (config: Config): BotPolicy => ({
  ...DEFAULT_POLICY,
  backoffFirstMs: config.backoffFirst,
  backoffMaxMs: config.backoffMax,
  backoffJitter: config.backoffJitter,
  healthyAfterMs: config.healthyAfter,
  maxCrashes: config.maxCrashes,
  crashWindowMs: config.crashWindow,
  startDeadlineMs: config.startDeadline,
  killDeadlineMs: config.killDeadline,
  volumeGraceMs: config.gcGrace,
});

/** Settings that hold inside every container of ours. */
const containerEnvironment = (config: Config): Readonly<Record<string, string>> => ({
  [DELIVERY_ENV.keepSnapshots]: String(config.keepSnapshots),
  [DELIVERY_ENV.maxStateMb]: String(config.maxStateMb),
  [DELIVERY_ENV.maxStateFileMb]: String(config.maxStateFileMb),
  ...(config.botNatsUrl === undefined ? {} : { BOT_NATS_URL: config.botNatsUrl }),
});

const LOOPBACK = /^(https?:\/\/)?(127\.|localhost|\[?::1)/;

/** A mistake that otherwise shows as bots that wait for ever. */
const warnOfEndpoint = (config: Config, logger: Logger): void => {
  const endpoint = config.minioContainerEndpoint ?? config.minioEndpoint;
  if (endpoint !== undefined && config.dockerNetwork !== 'host' && LOOPBACK.test(endpoint)) {
    const remedy =
      'set MINIO_CONTAINER_ENDPOINT to an address of this host that containers reach, and let it listen there';
    logger.warn('bots cannot reach the archive store on loopback', { endpoint, remedy });
  }
  if (config.minioEndpoint !== undefined && config.storeCredentials === 'shared') {
    logger.warn('BOT_STORE_CREDENTIALS=shared: every bot can read and change the code, state and logs of all bots');
  }
};

interface WireParts {
  readonly config: Config;
  readonly services: readonly Service[];
  readonly stores: Stores;
  readonly install: string;
  readonly bus: MessageBus | undefined;
  readonly front: FrontDoor;
  readonly logger: Logger;
}

/** The controller on these stores, not started, with the API open to callers. */
const wire = async (parts: WireParts): Promise<Drover> => {
  const { config, services, stores, install, bus, front, logger } = parts;
  const docker = await connectDocker(config.dockerHost);
  const defaults = defaultsOf(config);
  const office = (service: keyof Offices, role: InstanceRole): Office => {
    const stored = stores.offices[service];
    const fence = createFence(stored.leadership);
    const engine = createDockerEngine({
      docker,
      role,
      install,
      archives: stores.archives,
      access: stores.access,
      image: config.runtimeImage,
      env: containerEnvironment(config),
      network: config.dockerNetwork,
      hostGateway: config.hostGateway,
      configInEnv: config.configInEnv,
      // Each kind has starts of its own: a storm of due slots holds up no bot that is to be restarted.
      startsInFlight: config.startsInFlight,
      mayAct: () => {
        fence.mayAct();
      },
    });
    return { ...stored, fence, engine, acts: services.includes(service) };
  };
  const bots = office('bots', 'bot');
  const drover = await createDrover({
    ...stores,
    bus,
    bots,
    runs: office('runs', 'run'),
    predecessor: createPredecessor(docker, () => bots.fence?.mayAct()),
    policy: policyOf(config),
    defaults,
    resyncIntervalMs: config.reconcileInterval,
    clock: systemClock,
    logger,
    tell: teller(config),
  });
  const { states: fleet, schedules: scheduleReaders, transitions, guard, takeover, stateSnapshots, readiness } = drover;
  const more = { clock: systemClock, mintId, defaults, token: config.apiToken };
  front.open(
    createApp({ ...stores, fleet, scheduleReaders, transitions, guard, takeover, stateSnapshots, readiness, ...more }),
  );
  return drover;
};

interface Waiting {
  readonly front: FrontDoor;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Tries until it works; only what may pass is tried again. @throws DroverError for anything else */
const untilItAnswers = async <T>(attempt: () => Promise<T>, options: Waiting): Promise<T | undefined> => {
  const { front, logger, signal } = options;
  let told = '';
  const ended = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
  while (!signal.aborted) {
    try {
      // Whoever is asked to end does not wait for a server that does not answer.
      return await Promise.race([attempt(), ended]);
    } catch (thrown) {
      const error = toDroverError(thrown);
      if (error.code !== 'STORE_UNAVAILABLE') throw error;
      front.waitFor('spec-store', error.message);
      if (told !== error.message) logger.warn('waits for its store; bots go on as they are', { detail: error.message });
      told = error.message;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
};

/** Runs until it is asked to end. @throws DroverError for what keeps it from starting */
export const up = async (config: Config, services: readonly Service[] = ['bots', 'runs']): Promise<void> => {
  const logger = createPinoLogger({ level: config.logLevel, pretty: isPretty(config) });
  const ending = new AbortController();
  const asked = untilAsked().then((signal) => {
    ending.abort();
    return signal;
  });
  const front = createFrontDoor();
  const listen = (): Promise<Served> => serve(front, { host: config.httpHost, port: config.httpPort });
  // A server may be away for long, and must be seen to be waited for; a data folder is there, or held by another process.
  let served = config.mongoUri === undefined ? undefined : await listen();
  const waiting = { front, logger, signal: ending.signal };
  try {
    const stores = await untilItAnswers(() => openStores(config, logger), waiting);
    if (stores === undefined) return;
    let bus: MessageBus | undefined;
    try {
      served ??= await listen();
      const install = await stores.specs.installId();
      const { natsUrl: url } = config;
      bus = url === undefined ? undefined : createNatsBus({ url, install, logger });
      const drover = await wire({ config, services, stores, install, bus, front, logger });
      await untilItAnswers(() => drover.start(), waiting);
      warnOfEndpoint(config, logger);
      logger.info('drover is up', { url: served.url, install, ...stores.places, image: config.runtimeImage });
      const signal = await asked;
      logger.info('drover ends; bots go on', { signal });
      await served.close();
      await drover.stop(STOP_WITHIN_MS);
    } finally {
      await bus?.close();
      await stores.close();
    }
  } finally {
    await served?.close();
  }
};
