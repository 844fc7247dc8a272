/** `drover gc`: collects what bots left in the object store. One sweep, or one after each interval with its health on a port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createObjectSweeper } from './adapters/minio/object-sweeper.ts';
import { createPinoLogger } from './adapters/log/pino-logger.ts';
import { createMongoWishedIds } from './adapters/mongo/wished-ids.ts';
import { createHealthApp, type Health } from './api/health-app.ts';
import { serve, type Served } from './api/serve.ts';
import type { Config } from './config.ts';
import type { GarbageReport } from './controllers/garbage-report.ts';
import { sweepGarbage, type GarbageParts } from './controllers/garbage-sweep.ts';
import { DroverError, toDroverError } from './domain/errors.ts';
import type { Logger } from './ports/logger.ts';
import { minioSettings } from './stores.ts';

export interface GcOptions {
  /** Milliseconds between the end of a sweep and the next one; 0: one sweep. */
  readonly intervalMs: number;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Told of every sweep that came to its judgement. */
  readonly onReport: (report: GarbageReport) => void;
  /** For people who asked in vain. */
  readonly say: (text: string) => void;
}

const NOTHING =
  'nothing to do: without MINIO_ENDPOINT archives and volumes are on this host, and the controller collects them itself';

const untilAsked = (ending: AbortController): (() => void) => {
  const ask = (): void => {
    ending.abort();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, ask);
  return () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, ask);
  };
};

const partsOf = (config: Config, logger: Logger): GarbageParts | undefined => {
  const { mongoUri, mongoDatabase: database, mongoBotsDatabase: botsDatabase, gcGrace: graceMs } = config;
  const settings = minioSettings(config);
  if (settings === undefined) return undefined;
  if (mongoUri === undefined) {
    // The data folder belongs to one process, and what cannot be read whole is no reason to remove anything.
    throw new DroverError('CONFIG_INVALID', 'gc needs MONGO_URI: it cannot read a data folder beside its controller');
  }
  const schedulesDatabase = config.mongoSchedulerDatabase;
  const sweeper = createObjectSweeper(settings);
  const wishes = createMongoWishedIds({ uri: mongoUri, database, botsDatabase, schedulesDatabase });
  return { sweeper, wishes, graceMs, logger, now: () => Date.now() };
};

const incomplete = ({ problems, items }: GarbageReport): DroverError => {
  const refused = items.some(({ fate }) => fate === 'refused');
  return new DroverError(refused ? 'GC_REFUSED' : 'GC_INCOMPLETE', problems.join('; '));
};

/** @throws DroverError when anything could not be done */
const sweepOnce = async (parts: GarbageParts, options: GcOptions, signal: AbortSignal): Promise<GarbageReport> => {
  const report = await sweepGarbage(parts, { ...options, signal });
  options.onReport(report);
  if (report.problems.length > 0) throw incomplete(report);
  return report;
};

const again = async (parts: GarbageParts, options: GcOptions, config: Config, signal: AbortSignal): Promise<void> => {
  const { logger } = parts;
  let health: Health = { ready: true, detail: 'the first sweep is in progress' };
  const app = createHealthApp(() => (signal.aborted ? { ready: false, detail: 'shutting down' } : health));
  const served: Served = await serve(app, { host: config.httpHost, port: config.gcPort, setting: 'GC_PORT' });
  logger.info('garbage collection service started', {
    url: served.url,
    interval_ms: options.intervalMs,
    grace_ms: parts.graceMs,
  });
  const hasEnded = (): boolean => signal.aborted;
  try {
    while (!hasEnded()) {
      try {
        const { items, objects } = await sweepOnce(parts, options, signal);
        const removed = items.filter(({ fate }) => fate === 'removed').length;
        const waits = items.filter(({ fate }) => fate === 'waits').length;
        health = { ready: true, detail: `last sweep: ${String(removed)} removed, ${String(waits)} waiting` };
        logger.info('garbage collected', { objects, removed, waits });
      } catch (thrown) {
        if (hasEnded()) break;
        const { code, message, remedy } = toDroverError(thrown);
        health = { ready: false, detail: `${message} [${code}]` };
        logger.error('garbage collection incomplete', { code, detail: message, remedy });
      }
      await sleep(options.intervalMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await served.close();
  }
};

/** @throws DroverError for what could not be done; with an interval only for what keeps it from starting */
export const gc = async (config: Config, options: GcOptions): Promise<void> => {
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stderr.isTTY);
  const parts = partsOf(config, createPinoLogger({ level: config.logLevel, pretty }));
  if (parts === undefined) {
    options.say(NOTHING);
    return;
  }
  const ending = new AbortController();
  const forget = untilAsked(ending);
  try {
    if (options.intervalMs > 0) await again(parts, options, config, ending.signal);
    else await sweepOnce(parts, options, ending.signal);
  } catch (thrown) {
    if (!ending.signal.aborted || thrown instanceof DroverError) throw thrown;
    throw new DroverError('GC_INCOMPLETE', 'the sweep was stopped before it was complete', { cause: thrown });
  } finally {
    forget();
    await parts.wishes.close();
  }
};
