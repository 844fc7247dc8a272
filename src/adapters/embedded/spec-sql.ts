/** Tables of the two kinds of what is wished, and the statements on them: the same for both, for the tables are. */
import type { WishKind } from '../common/spec-change.ts';

const PAGE = 500;
const TABLES: Readonly<Record<WishKind, { readonly specs: string; readonly requests: string }>> = {
  bots: { specs: 'specs', requests: 'requests' },
  schedules: { specs: 'schedules', requests: 'schedule_requests' },
};

const statementsOn = (kind: WishKind) => {
  const { specs, requests } = TABLES[kind];
  return {
    page: PAGE,
    /** One document whole. */
    one: `SELECT id, revision, deleted, asked, document FROM ${specs} WHERE id = ?`,
    requestsOf: `SELECT bot_id, body FROM ${requests} WHERE bot_id = ? ORDER BY seq`,
    /** A page of the fleet, without what is large and decides nothing. */
    fleet: `SELECT id, revision, deleted, asked, slim AS document FROM ${specs} WHERE id > ? ORDER BY id LIMIT ${String(PAGE)}`,
    requests: `SELECT bot_id, body FROM ${requests} ORDER BY seq`,
    put: `INSERT INTO ${specs} (id, revision, deleted, asked, document) VALUES (?, 1, 0, ?, ?)
      ON CONFLICT (id) DO UPDATE SET revision = revision + 1, deleted = 0, asked = excluded.asked, document = excluded.document`,
    bury: `UPDATE ${specs} SET revision = revision + 1, deleted = 1, asked = ?, document = NULL
      WHERE id = ? AND deleted = 0`,
    /** A place to keep the position of a deletion, or an earlier message could bring the bot back. */
    buryUnknown: `INSERT INTO ${specs} (id, revision, deleted, asked) VALUES (?, 1, 1, ?)
      ON CONFLICT (id) DO UPDATE SET asked = excluded.asked WHERE deleted = 1`,
    found: `SELECT deleted, document, message FROM ${specs} WHERE id = ?`,
    mark: `UPDATE ${specs} SET message = ? WHERE id = ?`,
    forgetTombstones: `DELETE FROM ${specs} WHERE deleted = 1 AND json_extract(asked, '$.at') < ?`,
    alive: `SELECT 1 AS yes FROM ${specs} WHERE id = ? AND deleted = 0`,
    /** Only for a bot that is there; a request known already stays as it is. */
    ask: `INSERT OR IGNORE INTO ${requests} (bot_id, request_id, body)
      SELECT id, ?, ? FROM ${specs} WHERE id = ? AND deleted = 0`,
    forget: `DELETE FROM ${requests} WHERE bot_id = ? AND request_id = ?`,
    forgetAll: `DELETE FROM ${requests} WHERE bot_id = ?`,
  };
};

export type SpecSql = ReturnType<typeof statementsOn>;

export const SPEC_SQL: Readonly<Record<WishKind, SpecSql>> = {
  bots: statementsOn('bots'),
  schedules: statementsOn('schedules'),
};
