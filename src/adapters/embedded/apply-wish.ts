/** What messages wish, as one transaction with the place of the last of them (contract §2). */
import type { BotId } from '../../domain/bot.ts';
import { isObject } from '../../domain/json.ts';
import { jsonText } from '../../domain/json-text.ts';
import { parseJson } from '../../domain/parse-json.ts';
import { isStale, positionOf } from '../common/stream-position.ts';
import type { StreamPosition } from '../../ports/message-bus.ts';
import type { Asked, Wish, WishOutcome } from '../../ports/spec-store.ts';
import type { SpecSql } from './spec-sql.ts';
import type { Sql } from './sql-connection.ts';

const parsed = (text: unknown): unknown => {
  try {
    return typeof text === 'string' ? parseJson(text) : undefined;
  } catch {
    return undefined;
  }
};

export const applyWish = async (
  sql: Sql,
  statements: SpecSql,
  id: BotId,
  wish: Wish,
  asked: Asked,
  position?: StreamPosition,
): Promise<WishOutcome> => {
  const row = await sql.get(statements.found, id);
  if (isStale(positionOf(parsed(row?.['message'])), position)) return 'stale';
  const isThere = row !== undefined && Number(row['deleted']) === 0;
  const outcome = await (async (): Promise<WishOutcome> => {
    if (wish.kind === 'delete') {
      if (isThere) {
        await sql.run(statements.bury, JSON.stringify(asked), id);
        await sql.run(statements.forgetAll, id);
        return 'applied';
      }
      if (position === undefined) return 'unchanged';
      await sql.run(statements.buryUnknown, id, JSON.stringify(asked));
      return 'applied';
    }
    if (wish.kind === 'create' && isThere) return 'unchanged';
    const before = wish.kind === 'update' && isThere ? parsed(row['document']) : undefined;
    const { config, custom } = wish.content;
    const document = { ...(isObject(before) ? before : {}), id, config, custom };
    await sql.run(statements.put, id, JSON.stringify(asked), jsonText(document));
    return 'applied';
  })();
  if (position !== undefined) await sql.run(statements.mark, JSON.stringify(position), id);
  return outcome;
};
