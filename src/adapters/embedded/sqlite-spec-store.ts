/** What is wished, in the SQLite file. Documents are kept raw; decoding them is not the store's matter. */
import type { BotId } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import type { SpecStore } from '../../ports/spec-store.ts';
import { applyWish } from './apply-wish.ts';
import { ensureInstallId } from './install-id.ts';
import { setMeta } from './meta.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import { DRAIN_KEY, readSpec, readWholeFleet } from './read-specs.ts';
import { BURY, FORGET_ALL, PUT } from './write-spec.ts';

const FORGET = 'DELETE FROM requests WHERE bot_id = ? AND request_id = ?';
/** Only for a bot that is there; a request known already stays as it is. */
const ASK = `INSERT OR IGNORE INTO requests (bot_id, request_id, body)
  SELECT id, ?, ? FROM specs WHERE id = ? AND deleted = 0`;
const FORGET_TOMBSTONES = `DELETE FROM specs WHERE deleted = 1 AND json_extract(asked, '$.at') < ?`;
const ALIVE = 'SELECT 1 AS yes FROM specs WHERE id = ? AND deleted = 0';

const checkId = (id: BotId): void => {
  if (id === '' || id.includes('\u0000') || !id.isWellFormed()) {
    throw new DroverError('BOT_ID_INVALID', `bot id ${JSON.stringify(id)} cannot be stored`);
  }
};

const documentText = (id: BotId, document: unknown): string => {
  try {
    const text = JSON.stringify(document) as string | undefined;
    if (text !== undefined && text !== 'null') return text;
  } catch (thrown) {
    throw new DroverError('DOCUMENT_INVALID', `the document of ${id} is not JSON`, { cause: thrown });
  }
  throw new DroverError('DOCUMENT_INVALID', `the document of ${id} is empty`);
};

/**
 * `close` ends its own `onChange` listeners; the file stays open for the other stores. `remove` also forgets the bot's
 * requests: they were asked of a bot that is wished no more.
 * @throws DroverError CONFIG_INVALID when `installId` is given and the file has another
 */
export const createSqliteSpecStore = async (
  db: EmbeddedDatabase,
  options: { readonly installId?: string } = {},
): Promise<SpecStore> => {
  const installId = await ensureInstallId(db, options.installId);
  const stops = new Set<() => void>();

  return {
    installId: () => Promise.resolve(installId),
    read: (id) => db.read((sql) => readSpec(sql, id)),
    readFleet: async () => ({ installId, ...(await db.read(readWholeFleet)) }),
    put: async (id, document, asked) => {
      checkId(id);
      const text = documentText(id, document);
      const record = await db.write(async (sql) => {
        await sql.run(PUT, id, JSON.stringify(asked), text);
        return readSpec(sql, id);
      });
      if (record === undefined) throw new DroverError('STORE_CORRUPT', `the document of ${id} was not stored`);
      db.specChanges.tell({ id, asked });
      return record;
    },
    remove: async (id, asked) => {
      const removed = await db.write(async (sql) => {
        if ((await sql.run(BURY, JSON.stringify(asked), id)) === 0) return false;
        await sql.run(FORGET_ALL, id);
        return true;
      });
      if (removed) db.specChanges.tell({ id, asked });
      return removed;
    },
    applyWish: async (id, wish, asked, position) => {
      checkId(id);
      const outcome = await db.write((sql) => applyWish(sql, id, wish, asked, position));
      if (outcome === 'applied') db.specChanges.tell({ id, asked });
      return outcome;
    },
    forgetTombstones: async (before) => {
      await db.write((sql) => sql.run(FORGET_TOMBSTONES, before));
    },
    addRequest: async (id, request) => {
      const added = await db.write(async (sql) => {
        if ((await sql.get(ALIVE, id)) === undefined) throw new DroverError('BOT_NOT_FOUND', `there is no bot ${id}`);
        return (await sql.run(ASK, request.requestId, JSON.stringify(request), id)) > 0;
      });
      const { requestId, actor, kind, at } = request;
      if (added) db.specChanges.tell({ id, asked: { requestId, actor, action: kind, at } });
    },
    clearRequests: async (id, requestIds) => {
      if (requestIds.length === 0) return;
      await db.write(async (sql) => {
        for (const requestId of requestIds) await sql.run(FORGET, id, requestId);
      });
    },
    setDrain: async (drain) => {
      await db.write((sql) => setMeta(sql, DRAIN_KEY, drain === undefined ? undefined : JSON.stringify(drain)));
      db.specChanges.tell({ id: undefined, asked: drain });
    },
    onChange: (listener) => {
      const stop = db.specChanges.add((change) => {
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
