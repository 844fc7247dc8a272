/** Counts the openings of the file: a commit says by it which run of the controller wrote it. */
import { getMeta, setMeta } from './meta.ts';
import type { EmbeddedDatabase } from './open-database.ts';

const KEY = 'epoch';

export const nextEpoch = (db: EmbeddedDatabase): Promise<number> =>
  db.write(async (sql) => {
    const epoch = Number((await getMeta(sql, KEY)) ?? 0) + 1;
    await setMeta(sql, KEY, String(epoch));
    return epoch;
  });
