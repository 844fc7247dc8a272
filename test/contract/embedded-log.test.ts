/** What is the SQLite log's own: damage is named, a bad append fails alone, nothing is left waiting at the end. */
import { writeFile, mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type EmbeddedDatabase } from '../../src/adapters/embedded/open-database.ts';
import type { SqlConnection } from '../../src/adapters/embedded/sql-connection.ts';
import { createSqliteEventStore } from '../../src/adapters/embedded/sqlite-event-store.ts';
import { verifyChain } from '../../src/adapters/embedded/verify-chain.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { codeOf, event, newCommit, oneTo } from './commits.ts';
import { makeDataDir, tamper, type DataDir } from './embedded-support.ts';

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no rejection',
    (thrown: unknown) => codeOf(thrown) ?? thrown,
  );

describe('the SQLite log', () => {
  let dir: DataDir;
  let db: EmbeddedDatabase;
  let store: EventStore;
  const reopen = async (): Promise<void> => {
    db = await openDatabase(dir.database);
    store = createSqliteEventStore(db, { now: Date.now, writer: 'test', epoch: 1 });
  };
  beforeEach(async () => {
    dir = await makeDataDir();
    await reopen();
  });
  afterEach(async () => {
    await db.close();
    await dir.remove();
  });
  const damage = async (edit: string | ((sql: SqlConnection) => Promise<unknown>)): Promise<void> => {
    await db.close();
    await tamper(dir.database, (sql) => (typeof edit === 'string' ? sql.exec(edit) : edit(sql)));
    await reopen();
  };
  const fill = async (commits: number): Promise<void> => {
    await Promise.all(
      oneTo(commits).map((n) => store.append(newCommit('bot:a', n - 1, [event({ text: `no ${String(n)}` })]))),
    );
  };

  it('writes through to the disk at each commit', async () => {
    const setting = (name: string) => db.read(async (sql) => Object.values((await sql.get(`PRAGMA ${name}`)) ?? {})[0]);
    expect(await setting('synchronous')).toBe(2);
    expect(await setting('journal_mode')).toBe('wal');
    expect(await setting('locking_mode')).toBe('exclusive');
  });

  it('reads 10,000 commits in order, in pages, and finds their chain whole', async () => {
    await fill(10_000);
    const positions = (commits: readonly { readonly position: number }[]) => commits.map((commit) => commit.position);
    expect(positions(await store.readAll(0, 20_000))).toEqual(oneTo(10_000));
    expect(positions(await store.read('bot:a'))).toEqual(oneTo(10_000));
    expect(await verifyChain(db)).toMatchObject({ ok: true, commits: 10_000 });
  });

  it('is the same after it was closed and opened', async () => {
    await fill(50);
    const before = await store.readAll(0, 100);
    await db.close();
    await reopen();
    expect(await store.readAll(0, 100)).toEqual(before);
    expect((await store.append(newCommit('bot:a', 50))).prevHash).toBe(before.at(-1)?.hash);
  });

  it.each([
    [
      'a byte of an event',
      `UPDATE commits SET events = replace(events, 'no 7"', 'no 8"') WHERE position = 7`,
      7,
      /hash/,
    ],
    ['a character that means nothing', `UPDATE commits SET events = events || ' ' WHERE position = 7`, 7, /rewritten/],
    ['text that is no JSON', `UPDATE commits SET events = substr(events, 1, 9) WHERE position = 7`, 7, /JSON/],
    ['a time', 'UPDATE commits SET recorded_at = recorded_at + 1 WHERE position = 7', 7, /hash/],
    ['a hash', `UPDATE commits SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE position = 7`, 7, /hash/],
    ['a prevHash', `UPDATE commits SET prev_hash = hash WHERE position = 7`, 7, /prevHash/],
    ['a commit taken out', 'DELETE FROM commits WHERE position = 7', 7, /missing/],
    ['a position', 'UPDATE commits SET position = 99 WHERE position = 20', 20, /missing/],
  ])('verify names the first commit with %s changed', async (_, edit, position, reason) => {
    await fill(20);
    expect(await verifyChain(db)).toMatchObject({ ok: true, commits: 20 });
    await damage(edit);
    expect(await verifyChain(db)).toEqual({ ok: false, position, reason: expect.stringMatching(reason) as string });
  });

  it('verify names the commit whose content was changed together with its hash', async () => {
    await fill(20);
    const [, second] = await store.readAll(0, 2);
    await damage(`UPDATE commits SET hash = '${second?.hash ?? ''}' WHERE position = 7`);
    expect(await verifyChain(db)).toMatchObject({ ok: false, position: 7 });
  });

  it('reading stops at a hole or at a broken record with STORE_CORRUPT', async () => {
    await fill(20);
    await damage('DELETE FROM commits WHERE position = 7');
    expect(await rejection(store.readAll(0, 100))).toBe('STORE_CORRUPT');
    expect(await rejection(store.read('bot:a'))).toBe('STORE_CORRUPT');
    expect(await store.readAll(7, 100)).toHaveLength(13);
    expect(await store.read('bot:a', 8)).toHaveLength(13);
    const seen: number[] = [];
    const following = (async () => {
      for await (const commit of store.feed(5, new AbortController().signal)) seen.push(commit.position);
    })();
    expect(await rejection(following)).toBe('STORE_CORRUPT');
    await damage(`UPDATE commits SET causes = 'x' WHERE position = 9`);
    expect(await rejection(store.readAll(8, 100))).toBe('STORE_CORRUPT');
  });

  it('one append that the file refuses fails alone', async () => {
    await damage(`CREATE TRIGGER refuse BEFORE INSERT ON commits WHEN new.stream = 'bot:7'
      BEGIN SELECT RAISE(ABORT, 'no room'); END;`);
    const results = await Promise.all(oneTo(20).map((n) => rejection(store.append(newCommit(`bot:${String(n)}`, 0)))));
    expect(results).toEqual(oneTo(20).map((n) => (n === 7 ? 'STORE_UNAVAILABLE' : 'no rejection')));
    expect(await store.head()).toBe(19);
    expect(await verifyChain(db)).toMatchObject({ ok: true, commits: 19 });
  });

  it('refuses what cannot be kept as it is', async () => {
    const bad = [newCommit('', 0), newCommit('a\u0000b', 0), newCommit('bot:\ud800', 0), newCommit('a', 0, [event()], ''), newCommit('a', 0.5), newCommit('a', 0, [event({ big: 1n })])]; // prettier-ignore
    for (const commit of bad) expect(await rejection(store.append(commit))).toBe('REQUEST_INVALID');
    expect(await store.head()).toBe(0);
  });

  it('shows nobody a commit before it is on disk', async () => {
    const refused = db.write(async (sql) => {
      await sql.run(`INSERT INTO meta (key, value) VALUES ('half', 'written')`);
      throw new Error('changed its mind');
    });
    const seen = db.read((sql) => sql.get(`SELECT value FROM meta WHERE key = 'half'`));
    expect(await rejection(refused)).toBe('STORE_UNAVAILABLE');
    expect(await seen).toBeUndefined();
  });

  it('closing waits for its appends, ends its feeds, and refuses what comes later', async () => {
    const signal = new AbortController().signal;
    const next = store.feed(0, signal)[Symbol.asyncIterator]();
    const waits = next.next().then(() => next.next()).then(() => next.next()).then(() => next.next()); // prettier-ignore
    const appends = oneTo(3).map((n) => store.append(newCommit('bot:a', n - 1)));
    expect((await Promise.all(appends)).map((commit) => commit.position)).toEqual([1, 2, 3]);
    const last = store.append(newCommit('bot:a', 3));
    await store.close();
    expect((await last).position).toBe(4);
    expect(typeof (await waits).done).toBe('boolean');
    expect((await next.next()).done).toBe(true);
    expect(await rejection(store.append(newCommit('bot:a', 4)))).toBe('STORE_UNAVAILABLE');
    await db.close();
    await db.close();
    expect(await rejection(store.head())).toBe('STORE_UNAVAILABLE');
  });

  it('refuses a file of a newer drover, and one that is no database', async () => {
    await db.close();
    await tamper(dir.database, (sql) => sql.exec('PRAGMA user_version = 99'));
    expect(await rejection(openDatabase(dir.database))).toBe('CONFIG_INVALID');
    expect(await rejection(openDatabase(dir.database))).toBe('CONFIG_INVALID');
    await mkdir(`${dir.path}/other`);
    await writeFile(`${dir.path}/other/drover.db`, 'no database '.repeat(1_000));
    expect(await rejection(openDatabase(`${dir.path}/other/drover.db`))).toBe('STORE_CORRUPT');
    expect(await rejection(openDatabase(`${dir.database}/below/drover.db`))).toBe('STORE_UNAVAILABLE');
  });
});
