/** Small values that belong to the whole file: its install id, its epoch, the drain. */
import type { Sql } from './sql-connection.ts';

export const getMeta = async (sql: Sql, key: string): Promise<string | undefined> => {
  const row = await sql.get('SELECT value FROM meta WHERE key = ?', key);
  return row === undefined ? undefined : String(row['value']);
};

/** Undefined forgets the value. */
export const setMeta = async (sql: Sql, key: string, value: string | undefined): Promise<void> => {
  if (value === undefined) await sql.run('DELETE FROM meta WHERE key = ?', key);
  else
    await sql.run(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      key,
      value,
    );
};
