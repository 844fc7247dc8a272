/** What the parts of a drover are told of the settings. */
import type { Config } from './config.ts';
import type { QueryPolicy } from './controllers/queries/query-policy.ts';
import type { SpecDefaults } from './documents/bot-document.ts';
import { DELIVERY_ENV } from './domain/delivery.ts';
import { DEFAULT_POLICY, type BotPolicy } from './domain/policy.ts';
import type { QueryLimits } from './api/query-routes.ts';
import type { Logger } from './ports/logger.ts';

export const defaultsOf = (config: Config): SpecDefaults => ({
  image: config.runtimeImage,
  limits: { memoryMb: config.memoryLimitMb, cpuShares: config.cpuShares, pids: config.pidsLimit },
  stopHookMs: config.stopHook,
  stopGraceMs: config.stopGrace,
  finalSyncMs: config.finalSync,
  restartPolicy: config.restartPolicy,
  bounds: {
    images: (config.imagesAllowed ?? '')
      .split(',')
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== ''),
    memoryMb: config.maxMemoryMb,
    cpuShares: config.maxCpuShares,
    pids: config.maxPids,
    retries: config.maxRetries,
    stopMs: config.maxStop,
  },
});

export const policyOf = (config: Config): BotPolicy => ({
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
export const containerEnvironment = (config: Config): Readonly<Record<string, string>> => ({
  [DELIVERY_ENV.keepSnapshots]: String(config.keepSnapshots),
  [DELIVERY_ENV.maxStateMb]: String(config.maxStateMb),
  [DELIVERY_ENV.maxStateFileMb]: String(config.maxStateFileMb),
  ...(config.botNatsUrl === undefined ? {} : { BOT_NATS_URL: config.botNatsUrl }),
});

const LOOPBACK = /^(https?:\/\/)?(127\.|localhost|\[?::1)/;

/** A mistake that otherwise shows as bots that wait for ever. */
export const warnOfEndpoint = (config: Config, logger: Logger): void => {
  const endpoint = config.minioContainerEndpoint ?? config.minioEndpoint;
  if (endpoint !== undefined && config.dockerNetwork !== 'host' && LOOPBACK.test(endpoint)) {
    const remedy =
      'set MINIO_CONTAINER_ENDPOINT to an address of this host that containers can reach, and make the S3 server listen there';
    logger.warn('bots cannot reach the archive store on loopback', { endpoint, remedy });
  }
  if (config.minioEndpoint !== undefined && config.storeCredentials === 'shared') {
    logger.warn('BOT_STORE_CREDENTIALS=shared, every bot can read and change the code, state and logs of all bots');
  }
};

const MIB = 1024 * 1024;
/** A query server of an interpreter listens long before that. */
const SETTLE_MS = 30_000;

export const queryPolicyOf = (config: Config): QueryPolicy => ({
  warmTtlMs: config.queryWarmTtl,
  containers: config.queryContainers,
  queue: config.queryQueue,
  inFlightPerBot: config.queryInFlight,
  maxReplyBytes: config.queryMaxReplyMb * MIB,
  settleMs: SETTLE_MS,
});

export const queryLimitsOf = (config: Config): QueryLimits => ({
  timeoutMs: config.queryTimeout,
  maxTimeoutMs: config.queryMaxTimeout,
  maxBodyBytes: config.queryMaxBodyKb * 1024,
});
