/** Reads wishes: one with all of it, or the whole fleet without what is large and decides nothing. */
import type { BotId } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import type { AnyRequest, FleetRead, SpecRecord } from '../../ports/spec-store.ts';
import { getMeta } from './meta.ts';
import { requestOf, specRecordOf } from './spec-row.ts';
import type { SpecSql } from './spec-sql.ts';
import type { Sql, SqlRow } from './sql-connection.ts';

export const DRAIN_KEY = 'drain';

const requestsByBot = <R extends AnyRequest>(rows: readonly SqlRow[]): ReadonlyMap<BotId, readonly R[]> => {
  const byBot = new Map<BotId, R[]>();
  for (const row of rows) {
    const request = requestOf(row) as R | undefined;
    if (request === undefined) continue;
    const id = String(row['bot_id']);
    const known = byBot.get(id);
    if (known === undefined) byBot.set(id, [request]);
    else known.push(request);
  }
  return byBot;
};

export const readSpec = async <R extends AnyRequest>(
  sql: Sql,
  { one, requestsOf }: SpecSql,
  id: BotId,
): Promise<SpecRecord<R> | undefined> => {
  const row = await sql.get(one, id);
  if (row === undefined) return undefined;
  return specRecordOf(row, requestsByBot<R>(await sql.all(requestsOf, id)).get(id) ?? []);
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
export const readWholeFleet = async <R extends AnyRequest>(
  sql: Sql,
  statements: SpecSql,
): Promise<Omit<FleetRead<R>, 'installId'>> => {
  const requests = requestsByBot<R>(await sql.all(statements.requests));
  const records: SpecRecord<R>[] = [];
  for (;;) {
    const rows = await sql.all(statements.fleet, records.at(-1)?.id ?? '');
    for (const row of rows) records.push(specRecordOf(row, requests.get(String(row['id'])) ?? []));
    if (rows.length < statements.page) break;
  }
  const drain = await readDrain(sql);
  return { records, ...(drain === undefined ? {} : { drain }) };
};
