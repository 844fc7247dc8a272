/** What the tests need from the machine, found or made before they run. */
import { toDroverError } from '../src/domain/errors.ts';
import { checkCompose } from './check-compose.ts';
import { ensureBotImage } from './build-image.ts';
import { dockerAt } from './docker-at.ts';
import { ensureEngine } from './ensure-engine.ts';
import { thisMachine, type Machine, type Progress } from './machine.ts';
import { s3rverPath } from './servers/minio-process.ts';
import { findMinio, noObjectStore } from './servers/minio.ts';
import { findMongo } from './servers/mongo.ts';
import { findNats } from './servers/find-nats.ts';
import { wordOf } from './servers/test-server.ts';

/**
 * The environment of tests that use the engine: where it is, and the bot image on it.
 * @throws DroverError ENGINE_UNAVAILABLE, ENGINE_INSTALL_UNSUPPORTED or IMAGE_UNAVAILABLE
 */
export const prepareEngine = async (progress: Progress): Promise<Record<string, string>> => {
  const { DOCKER_HOST, TEST_IMAGE } = process.env;
  // `npm test` made both before it started the test runner.
  if (DOCKER_HOST !== undefined && TEST_IMAGE !== undefined) return { DOCKER_HOST, TEST_IMAGE };
  const { host } = await ensureEngine(progress);
  const image = await ensureBotImage({ docker: dockerAt(host), progress });
  return { DOCKER_HOST: host, TEST_IMAGE: image };
};

/** Finds or makes the programs of the servers side by side, and starts none. Returns a line for each that cannot be had. */
export const prepareServers = async (
  progress: Progress,
  machine: Machine = thisMachine,
  hasS3rver = s3rverPath() !== undefined,
): Promise<readonly string[]> => {
  const { MONGO_URI, NATS_URL, MINIO_ENDPOINT } = machine.env;
  const kinds = [
    { named: MONGO_URI, find: findMongo, lineOf: wordOf },
    { named: NATS_URL, find: findNats, lineOf: wordOf },
    // The set-up of the tests names what stands in for it.
    {
      named: MINIO_ENDPOINT,
      find: findMinio,
      lineOf: (why: unknown) => (hasS3rver ? undefined : noObjectStore(why)),
    },
  ];
  const lines = await Promise.all(
    kinds.map(async ({ named, find, lineOf }) => {
      if (named !== undefined && named !== '') return undefined;
      return find(progress, machine).then(() => undefined, lineOf);
    }),
  );
  return lines.filter((line) => line !== undefined);
};

export interface PreparedTools {
  /** For the tests that use the engine; undefined when there is none. */
  readonly engine: Readonly<Record<string, string>> | undefined;
  /** One line for each thing that cannot be had: what, why, and what to do. */
  readonly missing: readonly string[];
}

/**
 * Finds or makes all that the tests need, side by side, and starts no server.
 * @throws Error when a compose file is not valid
 */
export const prepareTools = async (progress: Progress): Promise<PreparedTools> => {
  const missing: string[] = [];
  const engine = prepareEngine(progress).catch((thrown: unknown) => {
    const { message, remedy } = toDroverError(thrown);
    missing.push(`integration and fault tests: no Docker Engine or bot image (${message}) → ${remedy}`);
    return undefined;
  });
  const [made, servers, compose] = await Promise.allSettled([engine, prepareServers(progress), checkCompose(progress)]);
  for (const result of [made, servers, compose]) if (result.status === 'rejected') throw result.reason;
  if (servers.status === 'fulfilled') missing.push(...servers.value);
  if (compose.status === 'fulfilled' && compose.value !== undefined) missing.push(compose.value);
  return { engine: made.status === 'fulfilled' ? made.value : undefined, missing };
};
