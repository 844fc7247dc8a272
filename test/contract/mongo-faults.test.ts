/** MongoDB writes and the answer is lost (fault R8): nothing is written twice, and nothing that was promised is missing. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectMongo, type MongoConnection } from '../../src/adapters/mongo/mongo-connection.ts';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { createMongoWishStores } from '../../src/adapters/mongo/mongo-wish-stores.ts';
import { chainFault } from '../../src/domain/commit-hash.ts';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { cases } from '../support/full.ts';
import { codeOf, newCommit, oneTo } from './commits.ts';
import { MONGO_URI, mongoScratch, type MongoScratch } from './mongo-support.ts';

const STREAMS = 8;
const EACH = cases(12, 40);

describe.skipIf(MONGO_URI === undefined)('R8: answers of MongoDB that are lost', () => {
  let scratch: MongoScratch;
  let proxy: TcpProxy;
  let lossy: MongoConnection;
  beforeEach(async () => {
    scratch = await mongoScratch();
    const [, host = ''] = /^\w+:\/\/(?:[^@/]*@)?([^/?,]+)/.exec(scratch.uri) ?? [];
    proxy = await openTcpProxy(host);
    const { database, botsDatabase, schedulesDatabase } = scratch;
    // Retries of the driver would hide what ours must do.
    const uri = `mongodb://${proxy.address}/?directConnection=true&retryWrites=false&retryReads=false`;
    lossy = connectMongo({ uri, database, botsDatabase, schedulesDatabase });
  });
  afterEach(async () => {
    await lossy.close();
    await proxy.close();
    await scratch.close();
  });

  it('leave each appended command in the log once', async () => {
    const store = createMongoEventStore(lossy, { now: Date.now, writer: 'lossy', epoch: () => 1 });
    await store.head();
    proxy.loseAnswers = 0.1;
    const written = await Promise.all(
      oneTo(STREAMS).map(async (n) => {
        const stream = `bot:${String(n)}`;
        const mine: string[] = [];
        for (let version = 0; version < EACH;) {
          const commandId = `${stream}@${String(version)}`;
          const result = await store
            .append({ ...newCommit(stream, version), commandId })
            .catch((thrown: unknown) => codeOf(thrown));
          // It may or may not be written: asked again by the same name it is the same command.
          if (result === 'STORE_UNAVAILABLE') continue;
          if (typeof result === 'string' || result === undefined) throw new Error(`append: ${String(result)}`);
          mine.push(commandId);
          version = result.to;
        }
        return mine;
      }),
    );
    proxy.loseAnswers = 0;
    const clean = createMongoEventStore(scratch.connect(), { now: Date.now, writer: 'clean', epoch: () => 1 });
    const log = await clean.readAll(0, Number.MAX_SAFE_INTEGER);
    expect(chainFault(log)).toBeUndefined();
    expect(log.map(({ commandId }) => commandId).sort()).toEqual(written.flat().sort());
    await clean.close();
    await store.close();
  });

  it('leave each wish applied once, in its place', async () => {
    const stores = await createMongoWishStores(lossy, { writer: 'lossy' });
    const { specs } = stores;
    proxy.loseAnswers = 0.1;
    const asked = { requestId: 'r', actor: 'nats', action: 'the0.bot.updated', at: 1 };
    await Promise.all(
      oneTo(STREAMS).map(async (n) => {
        for (let sequence = 1; sequence <= EACH;) {
          const wish = { kind: 'update', content: { config: { sequence }, custom: {} } } as const;
          const outcome = await specs
            .applyWish(`bot-${String(n)}`, wish, asked, { stream: 'S@1', sequence })
            .catch((thrown: unknown) => codeOf(thrown));
          if (outcome === 'STORE_UNAVAILABLE') continue;
          // Stale: it was applied, only the answer was lost.
          expect(['applied', 'stale']).toContain(outcome);
          sequence += 1;
        }
      }),
    );
    proxy.loseAnswers = 0;
    const rows = await scratch.mongo.bots.find({}).toArray();
    expect(rows.map((row) => row['config'] as unknown)).toEqual(oneTo(STREAMS).map(() => ({ sequence: EACH })));
    await stores.close();
  });
});
