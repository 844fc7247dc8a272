/** A fleet on the real servers, each behind a proxy of its own, with drover processes as an operator runs them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import { MongoClient, type Collection, type Db } from 'mongodb';
import { connect, type NatsConnection } from 'nats';
import { startDrover, type DroverProcess, type DroverProcessOptions } from '../../scripts/drover-process.ts';
import { freePort } from '../../scripts/free-port.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import { until } from '../../scripts/until.ts';
import type { RunningBot } from '../../src/domain/running-bot.ts';
import { hostAddress } from './host-address.ts';
import { referenceDocument } from './reference-document.ts';
import { docker, HOST, IMAGE, LOOPING, zipOf } from './spine.ts';
import { STREAM } from './test-stream.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { newInstall } from './test-run.ts';

const { MONGO_URI, NATS_URL, MINIO_ENDPOINT, MINIO_ACCESS_KEY = '', MINIO_SECRET_KEY = '' } = process.env;
/** What the test set-up found; `npm test` names what it did not. */
export const HAS = {
  mongo: MONGO_URI !== undefined,
  nats: NATS_URL !== undefined,
  minio: MINIO_ENDPOINT !== undefined,
};

/** Connected to a server whose stream of that name is ours to make and remove. @throws Error when it has one already */
export const connectToTestNats = async (): Promise<NatsConnection> => {
  const nats = await connect({ servers: NATS_URL ?? '' });
  const { streams } = await nats.jetstreamManager();
  const isThere = await streams.info(STREAM).then(
    () => true,
    () => false,
  );
  if (!isThere) return nats;
  await nats.close();
  throw new Error(
    `NATS_URL names a server with a stream ${STREAM}: tests make and remove it, so give them another server`,
  );
};

export interface WorldOptions {
  /** False: drover is told of no NATS server. */
  readonly nats?: boolean;
  /** More of drover's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface World {
  readonly install: string;
  readonly proxies: { readonly mongo: TcpProxy; readonly nats?: TcpProxy; readonly minio?: TcpProxy };
  /** Straight to the server, as another program sees it. */
  readonly bots: Collection;
  readonly schedules: Collection;
  readonly ours: Db;
  readonly env: Readonly<Record<string, string>>;
  start(options?: Partial<DroverProcessOptions>): Promise<DroverProcess>;
  /** A zip in the bucket, at the key that the reference's API would give it. */
  putZip(key: string, code?: string): Promise<void>;
  document(id: string, config?: object, filePath?: string): Record<string, unknown>;
  reaches(drover: DroverProcess, id: string, state: RunningBot['state'], within?: number): Promise<RunningBot>;
  /** Of one bot, whatever state they are in. */
  containers(id: string): Promise<{ readonly id: string; readonly state: string; readonly created: number }[]>;
  close(): Promise<void>;
}

const hostOf = (url: string): string => /^(?:\w+(?:\+\w+)?:\/\/)?(?:[^@/]*@)?([^/?,]+)/.exec(url)?.[1] ?? '';
const through = (url: string, { address }: TcpProxy): string => url.replace(hostOf(url), address);

export const openWorld = async ({ nats: hears = false, env: more = {} }: WorldOptions = {}): Promise<World> => {
  const install = newInstall();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-world-'));
  const mongo = await openTcpProxy(hostOf(MONGO_URI ?? ''));
  const nats = hears ? await openTcpProxy(hostOf(NATS_URL ?? '')) : undefined;
  // Bots reach it too: not on loopback.
  const minio = MINIO_ENDPOINT === undefined ? undefined : await openTcpProxy(MINIO_ENDPOINT, '0.0.0.0');
  const [database, botsDatabase, bucket] = [`drover_${install}`, `bots_${install}`, `code-${install}`];
  const schedulesDatabase = `sched_${install}`;
  const uri = through(MONGO_URI ?? '', mongo);
  const running: DroverProcess[] = [];
  const client = new MongoClient(MONGO_URI ?? '');
  const s3 = (): Client => {
    const [endPoint = '', port] = (MINIO_ENDPOINT ?? '').split(':');
    const keys = { accessKey: MINIO_ACCESS_KEY, secretKey: MINIO_SECRET_KEY };
    return new Client({ endPoint, port: Number(port), useSSL: false, ...keys });
  };
  const env: Record<string, string> = {
    DOCKER_HOST: HOST,
    RUNTIME_IMAGE: IMAGE,
    DROVER_DATA_DIR: dataDir,
    INSTALL_ID: install,
    LOG_FORMAT: 'json',
    // What is seen here is not seen by the tick.
    RECONCILE_INTERVAL: '1h',
    BACKOFF_FIRST: '300ms',
    BOT_STOP_GRACE: '5s',
    MONGO_URI:
      uri + (uri.includes('?') ? '&' : uri.replace('://', '').includes('/') ? '?' : '/?') + 'directConnection=true',
    MONGO_DATABASE: database,
    MONGO_BOTS_DATABASE: botsDatabase,
    MONGO_SCHEDULER_DATABASE: schedulesDatabase,
    ...(minio === undefined
      ? { MINIO_ENDPOINT: '' }
      : {
          MINIO_ENDPOINT: minio.address,
          MINIO_CONTAINER_ENDPOINT: `${await hostAddress()}:${String(minio.port)}`,
          MINIO_ACCESS_KEY,
          MINIO_SECRET_KEY,
          MINIO_CODE_BUCKET: bucket,
          MINIO_STATE_BUCKET: `state-${install}`,
          MINIO_LOGS_BUCKET: `logs-${install}`,
          MINIO_QUERY_RESULTS_BUCKET: `results-${install}`,
        }),
    NATS_URL: nats?.address ?? '',
    ...more,
  };

  const removeBuckets = async (): Promise<void> => {
    const api = s3();
    for (const name of [bucket, `state-${install}`, `logs-${install}`, `results-${install}`]) {
      if (!(await api.bucketExists(name))) continue;
      const keys: string[] = [];
      for await (const { name: key } of api.listObjectsV2(name, '', true) as AsyncIterable<{ name: string }>)
        keys.push(key);
      for (const key of keys) await api.removeObject(name, key);
      await api.removeBucket(name);
    }
  };

  return {
    install,
    env,
    proxies: { mongo, ...(nats === undefined ? {} : { nats }), ...(minio === undefined ? {} : { minio }) },
    bots: client.db(botsDatabase).collection('bots'),
    schedules: client.db(schedulesDatabase).collection('bot_schedules'),
    ours: client.db(database),
    async start(options = {}) {
      const { env: extra = {}, ...rest } = options;
      const started = await startDrover({ port: await freePort(), env: { ...env, ...extra }, ...rest });
      running.push(started);
      return started;
    },
    async putZip(key, code = LOOPING) {
      const zip = await buffer(zipOf({ 'main.js': code }));
      if (minio === undefined) {
        const drover = running.at(-1);
        const answer = await fetch(`${drover?.url ?? ''}/v1/archives/${key}`, {
          method: 'PUT',
          body: new Uint8Array(zip),
        });
        if (answer.status !== 201) throw new Error(`the archive was refused: ${await answer.text()}`);
        return;
      }
      const api = s3();
      if (!(await api.bucketExists(bucket))) await api.makeBucket(bucket);
      await api.putObject(bucket, key, zip, zip.length, { 'Content-Type': 'application/zip' });
    },
    document: (id, config = {}, filePath = `user-1/${id}/1.0.0`) =>
      referenceDocument(id, { config: { enabled: true, customBotId: 'c1', ...config }, filePath }),
    async reaches(drover, id, state, within = 120_000) {
      let bot: RunningBot | undefined;
      const look = async (): Promise<RunningBot | undefined> => {
        bot = await drover.bot(id).catch(() => undefined);
        return bot?.state === state ? bot : undefined;
      };
      const otherwise = (): string =>
        `${id} is ${bot?.state ?? 'unknown'}, not ${state}:\n${drover.output().slice(-4_000)}`;
      return until(look, { within, every: 50, otherwise });
    },
    async containers(id) {
      const label = [`drover.install=${install}`, 'drover.role=bot', `runtime.id=${id}`];
      const found = await docker.listContainers({ all: true, filters: { label } });
      return found.map(({ Id, State, Created }) => ({ id: Id, state: State, created: Created }));
    },
    async close() {
      await Promise.all(running.map((drover) => drover.end('SIGKILL')));
      await removeInstall(docker, install);
      for (const each of [database, botsDatabase, schedulesDatabase]) await client.db(each).dropDatabase();
      await client.close();
      if (minio !== undefined) await removeBuckets();
      await Promise.all([mongo.close(), nats?.close(), minio?.close()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};
