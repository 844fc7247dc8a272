/** Reads wishes: one with all of it, or the whole fleet without what is large and decides nothing. */
import type { BotId, BotRequest } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import type { FleetRead, SpecRecord } from '../../ports/spec-store.ts';
import { getMeta } from './meta.ts';
import { requestOf, specRecordOf } from './spec-row.ts';
import type { Sql, SqlRow } from './sql-connection.ts';

export const DRAIN_KEY = 'drain';
const PAGE = 500;

const ONE = 'SELECT id, revision, deleted, asked, document FROM specs WHERE id = ?';
const REQUESTS_OF = 'SELECT bot_id, body FROM requests WHERE bot_id = ? ORDER BY seq';
const FLEET =
  'SELECT id, revision, deleted, asked, slim AS document FROM specs WHERE id > ? ORDER BY id LIMIT ' + String(PAGE);
const REQUESTS = 'SELECT bot_id, body FROM requests ORDER BY seq';

const requestsByBot = (rows: readonly SqlRow[]): ReadonlyMap<BotId, readonly BotRequest[]> => {
  const byBot = new Map<BotId, BotRequest[]>();
  for (const row of rows) {
    const request = requestOf(row);
    if (request === undefined) continue;
    const id = String(row['bot_id']);
    const known = byBot.get(id);
    if (known === undefined) byBot.set(id, [request]);
    else known.push(request);
  }
  return byBot;
};

export const readSpec = async (sql: Sql, id: BotId): Promise<SpecRecord | undefined> => {
  const row = await sql.get(ONE, id);
  if (row === undefined) return undefined;
  return specRecordOf(row, requestsByBot(await sql.all(REQUESTS_OF, id)).get(id) ?? []);
};

const readDrain = async (sql: Sql): Promise<FleetRead['drain']> => {
  const text = await getMeta(sql, DRAIN_KEY);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as NonNullable<FleetRead['drain']>;
  } catch (thrown) {
    // Guessing "not drained" would start a fleet that somebody stopped.
    throw new DroverError('STORE_CORRUPT', 'the stored drain cannot be read', { cause: thrown });
  }
};

/** To be called within one turn at the file, so that its pages fit together. */
export const readWholeFleet = async (sql: Sql): Promise<Omit<FleetRead, 'installId'>> => {
  const requests = requestsByBot(await sql.all(REQUESTS));
  const records: SpecRecord[] = [];
  for (;;) {
    const rows = await sql.all(FLEET, records.at(-1)?.id ?? '');
    for (const row of rows) records.push(specRecordOf(row, requests.get(String(row['id'])) ?? []));
    if (rows.length < PAGE) break;
  }
  const drain = await readDrain(sql);
  return { records, ...(drain === undefined ? {} : { drain }) };
};
