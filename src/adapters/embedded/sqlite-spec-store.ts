/** What is wished of either kind of bot, in the SQLite file. Documents are kept raw; decoding them is not the store's matter. */
import type { BotId, BotRequest } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import { jsonText } from '../../domain/json-text.ts';
import type { AnyRequest, SpecStore } from '../../ports/spec-store.ts';
import { WISH_KINDS, type WishKind } from '../common/spec-change.ts';
import { applyWish } from './apply-wish.ts';
import { ensureInstallId } from './install-id.ts';
import { setMeta } from './meta.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import { DRAIN_KEY, readSpec, readWholeFleet } from './read-specs.ts';
import { SPEC_SQL } from './spec-sql.ts';

const checkId = (id: BotId): void => {
  if (id === '' || id.includes('\u0000') || !id.isWellFormed()) {
    throw new DroverError('BOT_ID_INVALID', `bot id ${JSON.stringify(id)} cannot be stored`);
  }
};

const documentText = (id: BotId, document: unknown): string => {
  try {
    const text = jsonText(document);
    if (text !== 'null') return text;
  } catch (thrown) {
    throw new DroverError('DOCUMENT_INVALID', `the document of ${id} is not JSON`, { cause: thrown });
  }
  throw new DroverError('DOCUMENT_INVALID', `the document of ${id} is empty`);
};

export interface SqliteSpecStoreOptions {
  readonly installId?: string;
}

/**
 * `close` ends its own `onChange` listeners; the file stays open for the other stores. `remove` also forgets the bot's
 * requests: they were asked of a bot that is wished no more.
 * @throws DroverError CONFIG_INVALID when `installId` is given and the file has another
 */
export const createSqliteStoreOf = async <R extends AnyRequest>(
  db: EmbeddedDatabase,
  kind: WishKind,
  options: SqliteSpecStoreOptions = {},
): Promise<SpecStore<R>> => {
  const installId = await ensureInstallId(db, options.installId);
  const statements = SPEC_SQL[kind];
  const changes = db.specChanges[kind];
  const stops = new Set<() => void>();

  return {
    installId: () => Promise.resolve(installId),
    read: (id) => db.read((sql) => readSpec<R>(sql, statements, id)),
    readFleet: async () => ({ installId, ...(await db.read((sql) => readWholeFleet<R>(sql, statements))) }),
    put: async (id, document, asked) => {
      checkId(id);
      const text = documentText(id, document);
      const record = await db.write(async (sql) => {
        await sql.run(statements.put, id, JSON.stringify(asked), text);
        return readSpec<R>(sql, statements, id);
      });
      if (record === undefined) throw new DroverError('STORE_CORRUPT', `the document of ${id} was not stored`);
      changes.tell({ id, asked });
      return record;
    },
    remove: async (id, asked) => {
      const removed = await db.write(async (sql) => {
        if ((await sql.run(statements.bury, JSON.stringify(asked), id)) === 0) return false;
        await sql.run(statements.forgetAll, id);
        return true;
      });
      if (removed) changes.tell({ id, asked });
      return removed;
    },
    applyWish: async (id, wish, asked, position) => {
      checkId(id);
      const outcome = await db.write((sql) => applyWish(sql, statements, id, wish, asked, position));
      if (outcome === 'applied') changes.tell({ id, asked });
      return outcome;
    },
    forgetTombstones: async (before) => {
      await db.write((sql) => sql.run(statements.forgetTombstones, before));
    },
    addRequest: async (id, request) => {
      const added = await db.write(async (sql) => {
        if ((await sql.get(statements.alive, id)) === undefined)
          throw new DroverError('BOT_NOT_FOUND', `there is no bot ${id}`);
        return (await sql.run(statements.ask, request.requestId, JSON.stringify(request), id)) > 0;
      });
      const { requestId, actor, kind, at } = request;
      if (added) changes.tell({ id, asked: { requestId, actor, action: kind, at } });
    },
    clearRequests: async (id, requestIds) => {
      if (requestIds.length === 0) return;
      await db.write(async (sql) => {
        for (const requestId of requestIds) await sql.run(statements.forget, id, requestId);
      });
    },
    setDrain: async (drain) => {
      await db.write((sql) => setMeta(sql, DRAIN_KEY, drain === undefined ? undefined : JSON.stringify(drain)));
      // One drain for both kinds.
      for (const each of WISH_KINDS) db.specChanges[each].tell({ id: undefined, asked: drain });
    },
    onChange: (listener) => {
      const stop = changes.add((change) => {
        listener(change.id, change.asked);
      });
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    close: () => {
      for (const stop of stops) stop();
      stops.clear();
      return Promise.resolve();
    },
  };
};

/** Where bots are wished. @throws as `createSqliteStoreOf` */
export const createSqliteSpecStore = (db: EmbeddedDatabase, options?: SqliteSpecStoreOptions): Promise<SpecStore> =>
  createSqliteStoreOf<BotRequest>(db, 'bots', options);
