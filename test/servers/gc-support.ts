/** Buckets and databases for the tests of `drover gc`: fresh for each test, on servers of our own. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { resolve } from 'node:path';
import type { Client } from 'minio';
import { MongoClient, type Collection } from 'mongodb';
import { test } from 'vitest';
import { createObjectSweeper } from '../../src/adapters/minio/object-sweeper.ts';
import { ensureInstallId } from '../../src/adapters/mongo/install-meta.ts';
import { connectMongo } from '../../src/adapters/mongo/mongo-connection.ts';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { createMongoWishedIds } from '../../src/adapters/mongo/wished-ids.ts';
import type { GarbageReport } from '../../src/controllers/garbage-report.ts';
import { sweepGarbage, type GarbageParts, type SweepOptions } from '../../src/controllers/garbage-sweep.ts';
import { botStream, type BotEvent } from '../../src/domain/bot-event.ts';
import { GARBAGE_NOTE_KEY } from '../../src/domain/garbage.ts';
import type { ObjectSweeper } from '../../src/ports/object-sweeper.ts';
import type { WishedIds } from '../../src/ports/wished-ids.ts';
import { newCommit } from '../contract/commits.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { freshBuckets, minioEnv, noMinio, plainClient, removeBuckets, settingsOf } from './minio-support.ts';

const BIN = resolve(import.meta.dirname, '../../bin/drover.js');
/** The worker's server (test/setup/worker.ts). */
export const MONGO_URI = process.env['MONGO_URI'] ?? '';
/** Undefined, or why nothing can be collected here; the end of the run says more. */
export const noServers = noMinio ?? (MONGO_URI === '' ? 'no MongoDB' : undefined);

/** Its `host:port`, and itself behind another one. */
export const mongoHost = new URL(MONGO_URI.replace(/^[^:]*:/, 'http:') || 'http://none').host;
export const mongoAt = (address: string): string => {
  const url = MONGO_URI.replace(mongoHost, address);
  return `${url}${url.includes('?') ? '&' : '?'}directConnection=true`;
};

/** Objects in one page of a listing: few, so that a test needs few to fill several. */
export const PAGE = 20;

export const HOUR = 3_600_000;
export const GRACE = 24 * HOUR;

export interface GcWorld {
  readonly install: string;
  readonly buckets: ReturnType<typeof freshBuckets>;
  readonly client: Client;
  readonly bots: Collection;
  readonly schedules: Collection;
  /** What drover keeps about the install. */
  readonly meta: Collection;
  readonly sweeper: ObjectSweeper;
  readonly wishes: WishedIds;
  /** For a process of its own. */
  readonly env: Readonly<Record<string, string>>;
  put(bucket: 'state' | 'logs', ...keys: string[]): Promise<void>;
  /** A day file and an archive. */
  leave(...ids: string[]): Promise<void>;
  keys(bucket: 'state' | 'logs'): Promise<string[]>;
  /** What lies in both buckets, without our note. */
  all(): Promise<string[]>;
  note(): Promise<{ installId: string; absent: { id: string; since: number }[] } | undefined>;
  /** A sweep this long after now. */
  sweep(afterMs: number, more?: Partial<GarbageParts & SweepOptions>): Promise<GarbageReport>;
  record(id: string, events: readonly BotEvent[]): Promise<void>;
  wishesAt(uri: string): WishedIds;
  close(): Promise<void>;
}

export const openGcWorld = async (options: { readonly begun?: boolean } = {}): Promise<GcWorld> => {
  const [minio, uri] = [minioEnv, MONGO_URI];
  const install = `g${randomBytes(4).toString('hex')}`;
  const buckets = freshBuckets();
  const client = plainClient(minio);
  for (const bucket of Object.values(buckets)) await client.makeBucket(bucket);
  const [database, botsDatabase, schedulesDatabase] = [`drover_${install}`, `bots_${install}`, `sched_${install}`];
  const mongo = connectMongo({ uri, database, botsDatabase, schedulesDatabase });
  if (options.begun !== false) await ensureInstallId(mongo, install);
  const wishesAt = (at: string): WishedIds =>
    createMongoWishedIds({ uri: at, database, botsDatabase, schedulesDatabase });
  const sweeper = createObjectSweeper(settingsOf(minio, { buckets }), PAGE);
  const wishes = wishesAt(uri);
  const events = createMongoEventStore(mongo, { now: () => Date.now(), writer: 'test', epoch: () => 1 });

  const put: GcWorld['put'] = async (bucket, ...keys) => {
    for (const key of keys) await client.putObject(buckets[bucket], key, 'x');
  };
  const keys: GcWorld['keys'] = async (bucket) => {
    const found: string[] = [];
    for await (const page of sweeper.objects(bucket, '')) found.push(...page.map(({ key }) => key));
    return found.sort();
  };
  return {
    install,
    buckets,
    client,
    bots: mongo.bots,
    schedules: mongo.schedules,
    meta: mongo.ours.collection('meta'),
    sweeper,
    wishes,
    wishesAt,
    put,
    keys,
    env: {
      MONGO_URI: uri,
      MONGO_DATABASE: database,
      MONGO_BOTS_DATABASE: botsDatabase,
      MONGO_SCHEDULER_DATABASE: schedulesDatabase,
      MINIO_ENDPOINT: minio['MINIO_ENDPOINT'] ?? '',
      MINIO_ACCESS_KEY: minio['MINIO_ACCESS_KEY'] ?? '',
      MINIO_SECRET_KEY: minio['MINIO_SECRET_KEY'] ?? '',
      MINIO_CODE_BUCKET: buckets.code,
      MINIO_STATE_BUCKET: buckets.state,
      MINIO_LOGS_BUCKET: buckets.logs,
      MINIO_QUERY_RESULTS_BUCKET: buckets.queryResults,
    },
    leave: async (...ids) => {
      for (const id of ids) {
        await put('logs', `logs/${id}/20260101.log`);
        await put('state', `${id}/state.tar.gz`);
      }
    },
    all: async () => [...(await keys('logs')), ...(await keys('state'))].filter((key) => key !== GARBAGE_NOTE_KEY),
    note: async () => {
      const stored = await sweeper.readNote();
      return stored === undefined ? undefined : (JSON.parse(stored.text) as Awaited<ReturnType<GcWorld['note']>>);
    },
    sweep: (afterMs, more = {}) =>
      sweepGarbage(
        { sweeper, wishes, graceMs: GRACE, logger: silentLogger, now: () => Date.now() + afterMs, ...more },
        { dryRun: false, force: false, signal: new AbortController().signal, ...more },
      ),
    record: async (id, happened) => {
      const stored = happened.map(({ type, ...data }) => ({ type, schema: 1, data }));
      await events.append(newCommit(botStream(id), 0, stored));
    },
    close: async () => {
      await wishes.close();
      await events.close();
      await mongo.close();
      const server = new MongoClient(uri);
      for (const name of [database, botsDatabase, schedulesDatabase]) await server.db(name).dropDatabase();
      await server.close();
      await removeBuckets(client, buckets);
    },
  };
};

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `drover gc` as an operator runs it. */
export const startGc = (args: readonly string[], env: Readonly<Record<string, string>>) => {
  const clean = Object.entries(process.env).filter(([name]) => !/^(MONGO_|NATS_|MINIO_|GC_)/.test(name));
  const child = spawn(process.execPath, [BIN, 'gc', ...args], {
    env: { ...Object.fromEntries(clean), LOG_FORMAT: 'json', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, ...said }));
  return { child, said, ended };
};

export const runGc = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> =>
  startGc(args, env).ended;

/** In front of a MongoDB: passes everything until a client says this word, and from then on nothing is there any more. */
export const openDyingProxy = async (word: string) => {
  const target = new URL(`http://${mongoHost}`);
  const open = new Set<Socket>();
  let dead = false;
  const die = (): void => {
    dead = true;
    for (const socket of open) socket.destroy();
  };
  const server = createServer((near) => {
    if (dead) {
      near.destroy();
      return;
    }
    const far = createConnection(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('data', (chunk: Buffer) => {
        if (from === near && chunk.includes(word)) die();
        else to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    uri: mongoAt(`127.0.0.1:${String((server.address() as AddressInfo).port)}`),
    died: () => dead,
    close: () =>
      new Promise<void>((done) => {
        die();
        server.close(() => {
          done();
        });
      }),
  };
};

type Close = () => Promise<unknown>;

/** Worlds of the test's own, and whatever else it opens: all of it is closed after the test, the newest first. */
export const gcTest = test
  .extend('later', ({}, { onCleanup }) => {
    const closes: Close[] = [];
    onCleanup(async () => {
      for (const close of closes.reverse()) await close();
    });
    return (close: Close): void => void closes.push(close);
  })
  .extend('openWorld', ({ later }) => async (options: { readonly begun?: boolean } = {}): Promise<GcWorld> => {
    const world = await openGcWorld(options);
    later(world.close);
    return world;
  })
  .extend('world', ({ openWorld }) => openWorld());
