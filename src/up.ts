/** `drover up`: the controller in the foreground. SIGTERM and SIGINT end it and leave every bot running. */
import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { createPinoLogger } from './adapters/log/pino-logger.ts';
import { createNatsBus } from './adapters/nats/nats-bus.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { createFrontDoor, type FrontDoor } from './api/front-door.ts';
import { openQueryPort } from './api/query-port.ts';
import { serve } from './api/serve.ts';
import type { Config } from './config.ts';
import { warnOfEndpoint } from './config-parts.ts';
import { toDroverError } from './domain/errors.ts';
import { transitionJson, transitionLine, type Paint } from './domain/transition-line.ts';
import type { Transition } from './domain/transition.ts';
import type { Logger } from './ports/logger.ts';
import type { MessageBus } from './ports/message-bus.ts';
import { openStores } from './stores.ts';
import { wire, type Service } from './wire.ts';

/** What a process is for: its services, and where callers reach it. */
export interface Duties {
  /** Those in which it acts when it leads. */
  readonly services: readonly Service[];
  /** The API; without it only queries are taken. */
  readonly api: boolean;
  readonly queries: boolean;
}

export const ALL_DUTIES: Duties = { services: ['bots', 'runs'], api: true, queries: true };

const COLOURS: Paint = { dim: pc.dim, good: pc.green, bad: pc.red, busy: pc.yellow, strong: pc.bold };
/** Fault R22: gone within 10 s, whatever is under way. */
const STOP_WITHIN_MS = 4_000;
/** For answers that are on their way out. */
const LAST_BYTES_MS = 300;
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

interface Doors {
  readonly api: FrontDoor;
  readonly queries: FrontDoor;
}

interface Opening {
  readonly config: Config;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface Ports {
  readonly url: string | undefined;
  readonly queryUrl: string | undefined;
  closeApi(): Promise<void>;
  closeQueries(): Promise<void>;
}

interface Waiting {
  readonly doors: Doors;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Tries until it works; only what may pass is tried again. @throws DroverError for anything else */
const untilItAnswers = async <T>(attempt: () => Promise<T>, options: Waiting): Promise<T | undefined> => {
  const { doors, logger, signal } = options;
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
      for (const front of [doors.api, doors.queries]) front.waitFor('spec-store', error.message);
      if (told !== error.message) logger.warn('waiting for the store, bots keep running', { detail: error.message });
      told = error.message;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
};

/** Of both fronts, whichever this process has. */
const openPorts = async (duties: Duties, doors: Doors, { config, logger, signal }: Opening): Promise<Ports> => {
  const { httpHost, httpPort, queryServerHost: host, queryServerPort: port } = config;
  const api = duties.api ? await serve(doors.api, { host: httpHost, port: httpPort, setting: 'HTTP_PORT' }) : undefined;
  const queries = duties.queries
    ? await openQueryPort(doors.queries, { host, port, needed: !duties.api, logger, signal })
    : undefined;
  return {
    url: api?.url ?? queries?.url(),
    queryUrl: queries?.url(),
    closeApi: async () => api?.close(LAST_BYTES_MS),
    closeQueries: async () => queries?.close(),
  };
};

/** Runs until it is asked to end. @throws DroverError for what keeps it from starting */
export const up = async (config: Config, duties: Duties = ALL_DUTIES): Promise<void> => {
  const logger = createPinoLogger({ level: config.logLevel, pretty: isPretty(config) });
  const ending = new AbortController();
  const asked = untilAsked().then((signal) => {
    ending.abort();
    return signal;
  });
  const doors: Doors = { api: createFrontDoor(), queries: createFrontDoor() };
  const listen = (): Promise<Ports> => openPorts(duties, doors, { config, logger, signal: ending.signal });
  // A server may be away for long, and must be seen to be waited for; a data folder is there, or held by another process.
  let ports = config.mongoUri === undefined ? undefined : await listen();
  const waiting = { doors, logger, signal: ending.signal };
  try {
    const stores = await untilItAnswers(() => openStores(config, logger), waiting);
    if (stores === undefined) return;
    let bus: MessageBus | undefined;
    try {
      ports ??= await listen();
      const install = await stores.specs.installId();
      const { natsUrl: url } = config;
      bus =
        url === undefined || duties.services.length === 0
          ? undefined
          : createNatsBus({ url, install, logger, clock: systemClock });
      const { services, queries: withQueries } = duties;
      const fronts = { front: doors.api, queryFront: doors.queries };
      const tell = teller(config);
      const drover = await wire({ config, services, withQueries, stores, install, bus, ...fronts, logger, tell });
      await untilItAnswers(() => drover.start(), waiting);
      warnOfEndpoint(config, logger);
      const { url: at, queryUrl } = ports;
      logger.info('drover started', { url: at, queryUrl, install, ...stores.places, image: config.runtimeImage });
      const signal = await asked;
      logger.info('drover stops, bots keep running', { signal });
      // Queries under way are answered, or told that drover ends, before the ports go.
      await drover.stop(STOP_WITHIN_MS);
      await ports.closeApi();
    } finally {
      await bus?.close();
      await stores.close();
    }
  } finally {
    await Promise.all([ports?.closeApi(), ports?.closeQueries()]);
  }
};
