/** Appends that wait at the same time go out in one transaction: one fsync for all of them. */
import { DroverError } from '../../domain/errors.ts';
import type { Commit } from '../../domain/recorded.ts';
import { createGroupAppend, type GroupAppend, type Waiting } from '../common/group-append.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import { writeAppends, type WriterStamp } from './write-appends.ts';

export const createGroupCommit = (db: EmbeddedDatabase, stamp: WriterStamp): GroupAppend => {
  const write = async (batch: readonly Waiting[]): Promise<void> => {
    const appends = batch.map((entry) => entry.append);
    let results: readonly (Commit | DroverError)[];
    try {
      results = await db.write((sql) => writeAppends(sql, appends, stamp));
    } catch (thrown) {
      // Nothing was written. One append that the disk cannot take must not harm those that went with it; the command
      // ids are minted already, so trying again cannot write twice.
      if (batch.length > 1) for (const entry of batch) await write([entry]);
      else batch[0]?.reject(thrown);
      return;
    }
    for (const [index, entry] of batch.entries()) {
      const result = results[index];
      if (result === undefined || result instanceof DroverError) entry.reject(result);
      else entry.resolve(result);
    }
    db.appended.ring();
  };
  return createGroupAppend({ write, oneEach: false });
};
