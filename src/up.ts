/** `drover up`: the controller in the foreground. SIGTERM and SIGINT end it and leave every bot running. */
import { hostname } from 'node:os';
import pc from 'picocolors';
import { codeArchivePath } from './adapters/embedded/archive-path.ts';
import { openEmbeddedStores } from './adapters/embedded/embedded-stores.ts';
import { connectDocker } from './adapters/docker/connect.ts';
import { createDockerEngine } from './adapters/docker/docker-engine.ts';
import { createPinoLogger } from './adapters/log/pino-logger.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { createApp } from './api/create-app.ts';
import { serve } from './api/serve.ts';
import type { Config } from './config.ts';
import { DEFAULT_POLICY } from './domain/policy.ts';
import { transitionJson, transitionLine, type Paint } from './domain/transition-line.ts';
import type { Transition } from './domain/transition.ts';
import { createDrover, mintId } from './main.ts';

const COLOURS: Paint = { dim: pc.dim, good: pc.green, bad: pc.red, busy: pc.yellow, strong: pc.bold };
/** Fault R22: gone within 10 s, whatever is under way. */
const STOP_WITHIN_MS = 8_000;

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

/** Runs until it is asked to end. @throws DroverError for what keeps it from starting */
export const up = async (config: Config): Promise<void> => {
  const logger = createPinoLogger({ level: config.logLevel, pretty: isPretty(config) });
  const asked = untilAsked();
  const stores = await openEmbeddedStores({
    dataDir: config.dataDir,
    writer: `${hostname()}/${String(process.pid)}`,
    now: () => Date.now(),
    ...(config.installId === undefined ? {} : { installId: config.installId }),
  });
  try {
    const install = await stores.specs.installId();
    const docker = await connectDocker(config.dockerHost);
    const engine = createDockerEngine({
      docker,
      install,
      archives: stores.archives,
      codePath: (filePath) => codeArchivePath(stores.archiveRoot, filePath),
      network: config.dockerNetwork,
      hostGateway: config.hostGateway,
      configInEnv: config.configInEnv,
      startsInFlight: config.startsInFlight,
    });
    const defaults = {
      image: config.runtimeImage,
      limits: { memoryMb: config.memoryLimitMb, cpuShares: config.cpuShares, pids: config.pidsLimit },
      stopGraceMs: config.stopGrace,
      restartPolicy: config.restartPolicy,
    };
    const drover = await createDrover({
      ...stores,
      engine,
      policy: {
        ...DEFAULT_POLICY,
        backoffFirstMs: config.backoffFirst,
        backoffMaxMs: config.backoffMax,
        backoffJitter: config.backoffJitter,
        healthyAfterMs: config.healthyAfter,
        maxCrashes: config.maxCrashes,
        crashWindowMs: config.crashWindow,
        startDeadlineMs: config.startDeadline,
        killDeadlineMs: config.killDeadline,
      },
      defaults,
      resyncIntervalMs: config.reconcileInterval,
      clock: systemClock,
      logger,
      tell: teller(config),
    });
    const app = createApp({
      ...stores,
      fleet: drover.states,
      transitions: drover.transitions,
      guard: drover.guard,
      readiness: drover.readiness,
      clock: systemClock,
      mintId,
      defaults,
      token: config.apiToken,
    });
    const served = await serve(app, { host: config.httpHost, port: config.httpPort });
    await drover.start();
    logger.info('drover is up', { url: served.url, install, data: config.dataDir, image: config.runtimeImage });
    const signal = await asked;
    logger.info('drover ends; bots go on', { signal });
    await served.close();
    await drover.stop(STOP_WITHIN_MS);
  } finally {
    await stores.close();
  }
};
