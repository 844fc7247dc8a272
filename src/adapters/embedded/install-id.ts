/** The install id: in every name and label on the engine, so it must never change for a data folder. */
import { randomBytes } from 'node:crypto';
import { DroverError } from '../../domain/errors.ts';
import { INSTALL_ID, INSTALL_ID_WORDS } from '../../domain/naming.ts';
import { getMeta, setMeta } from './meta.ts';
import type { EmbeddedDatabase } from './open-database.ts';

const KEY = 'installId';

/**
 * The id of this store; the first call stores `given` or mints 8 lower-case hex digits.
 * @throws DroverError CONFIG_INVALID when `given` is no id, or not the one the store has
 */
export const ensureInstallId = (db: EmbeddedDatabase, given?: string): Promise<string> =>
  db.write(async (sql) => {
    if (given !== undefined && !INSTALL_ID.test(given)) {
      throw new DroverError('CONFIG_INVALID', `install id "${given}": use ${INSTALL_ID_WORDS}`);
    }
    const stored = await getMeta(sql, KEY);
    if (stored === undefined) {
      const minted = given ?? randomBytes(4).toString('hex');
      await setMeta(sql, KEY, minted);
      return minted;
    }
    if (given !== undefined && given !== stored) {
      const text = `install id "${given}": this data folder belongs to install "${stored}"; leave INSTALL_ID out, or use another folder`;
      throw new DroverError('CONFIG_INVALID', text);
    }
    return stored;
  });
