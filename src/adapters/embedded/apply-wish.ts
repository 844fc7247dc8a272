/** What messages wish, as one transaction with the place of the last of them (contract §2). */
import type { BotId } from '../../domain/bot.ts';
import { isObject } from '../../domain/json.ts';
import { isStale, positionOf } from '../common/stream-position.ts';
import type { StreamPosition } from '../../ports/message-bus.ts';
import type { Asked, Wish, WishOutcome } from '../../ports/spec-store.ts';
import type { Sql } from './sql-connection.ts';
import { BURY, FORGET_ALL, PUT } from './write-spec.ts';

const FIND = 'SELECT deleted, document, message FROM specs WHERE id = ?';
const MARK = 'UPDATE specs SET message = ? WHERE id = ?';
/** A place to keep the position of a deletion, or an earlier message could bring the bot back. */
const BURY_UNKNOWN = `INSERT INTO specs (id, revision, deleted, asked) VALUES (?, 1, 1, ?)
  ON CONFLICT (id) DO UPDATE SET asked = excluded.asked WHERE deleted = 1`;

const parsed = (text: unknown): unknown => {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : undefined;
  } catch {
    return undefined;
  }
};

export const applyWish = async (
  sql: Sql,
  id: BotId,
  wish: Wish,
  asked: Asked,
  position?: StreamPosition,
): Promise<WishOutcome> => {
  const row = await sql.get(FIND, id);
  if (isStale(positionOf(parsed(row?.['message'])), position)) return 'stale';
  const isThere = row !== undefined && Number(row['deleted']) === 0;
  const outcome = await (async (): Promise<WishOutcome> => {
    if (wish.kind === 'delete') {
      if (isThere) {
        await sql.run(BURY, JSON.stringify(asked), id);
        await sql.run(FORGET_ALL, id);
        return 'applied';
      }
      if (position === undefined) return 'unchanged';
      await sql.run(BURY_UNKNOWN, id, JSON.stringify(asked));
      return 'applied';
    }
    if (wish.kind === 'create' && isThere) return 'unchanged';
    const before = wish.kind === 'update' && isThere ? parsed(row['document']) : undefined;
    const { config, custom } = wish.content;
    const document = { ...(isObject(before) ? before : {}), id, config, custom };
    await sql.run(PUT, id, JSON.stringify(asked), JSON.stringify(document));
    return 'applied';
  })();
  if (position !== undefined) await sql.run(MARK, JSON.stringify(position), id);
  return outcome;
};
