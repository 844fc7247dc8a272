/** Brings a database file to the newest schema. */
import { DroverError } from '../../domain/errors.ts';
import { MIGRATIONS } from './schema.ts';
import type { Sql } from './sql-connection.ts';

/**
 * Runs the scripts the file has not seen, each in a transaction of its own.
 * @throws DroverError CONFIG_INVALID when a newer drover wrote the file
 */
export const migrate = async (sql: Sql, file: string): Promise<void> => {
  const row = await sql.get('PRAGMA user_version');
  const version = Number(row?.['user_version']);
  if (version > MIGRATIONS.length) {
    throw new DroverError(
      'CONFIG_INVALID',
      `${file} has schema ${String(version)}, but this drover knows no schema after ${String(MIGRATIONS.length)}: use a newer drover`,
    );
  }
  for (const [index, script] of MIGRATIONS.entries()) {
    if (index >= version) {
      await sql.exec(`BEGIN IMMEDIATE; ${script} PRAGMA user_version = ${String(index + 1)}; COMMIT;`);
    }
  }
};
