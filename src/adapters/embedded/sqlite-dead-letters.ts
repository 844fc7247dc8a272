/** Messages that could not be understood, in the SQLite file. */
import { randomUUID } from 'node:crypto';
import { DEAD_LETTERS_KEPT, type DeadLetter, type DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { EmbeddedDatabase } from './open-database.ts';

const ADD = 'INSERT OR IGNORE INTO dead_letters (place, at, body) VALUES (?, ?, ?)';
const TRIM = `DELETE FROM dead_letters WHERE seq <= (SELECT max(seq) FROM dead_letters) - ${String(DEAD_LETTERS_KEPT)}`;
const NEWEST = 'SELECT body FROM dead_letters ORDER BY seq DESC LIMIT ?';

export const createSqliteDeadLetters = (db: EmbeddedDatabase): DeadLetterStore => ({
  add: async (letter) => {
    const { position, at } = letter;
    const place = position === undefined ? randomUUID() : `${position.stream}/${String(position.sequence)}`;
    await db.write(async (sql) => {
      await sql.run(ADD, place, at, JSON.stringify(letter));
      await sql.run(TRIM);
    });
  },
  list: async (limit) =>
    (await db.read((sql) => sql.all(NEWEST, limit))).map((row) => JSON.parse(String(row['body'])) as DeadLetter),
});
