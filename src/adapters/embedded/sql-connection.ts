/**
 * The driver with types and a statement cache. What can wait for the disk runs off the event loop: `exec` (so BEGIN,
 * COMMIT with its fsync, checkpoints) and the first step of `all`. `run` and `get` are synchronous in the driver; they
 * touch cached pages only, because the cache never spills and everything is written by COMMIT.
 * Not safe for calls from several flows at once: use it through `openDatabase`, which lets one in at a time.
 */
import Database from 'libsql/promise';

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

export interface Sql {
  /** Runs a script; rows it makes are dropped. */
  exec(script: string): Promise<void>;
  /** Number of rows changed. */
  run(sql: string, ...values: readonly SqlValue[]): Promise<number>;
  get(sql: string, ...values: readonly SqlValue[]): Promise<SqlRow | undefined>;
  all(sql: string, ...values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

export interface SqlConnection extends Sql {
  inTransaction(): boolean;
  close(): void;
}

/** The part of the driver's statement that is used; its own types leave it open. */
interface RawStatement {
  run(values: readonly SqlValue[]): { readonly changes: number };
  get(values: readonly SqlValue[]): SqlRow | undefined;
  all(values: readonly SqlValue[]): Promise<SqlRow[]>;
}

/** Opens a connection. The driver itself never waits for a lock: who opens decides how long to try. */
export const connect = (file: string): SqlConnection => {
  const raw = new Database(file, { timeout: 0 });
  const statements = new Map<string, RawStatement>();
  const prepared = async (sql: string): Promise<RawStatement> => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = (await raw.prepare(sql)) as RawStatement;
    statements.set(sql, statement);
    return statement;
  };
  return {
    exec: async (script) => {
      await raw.exec(script);
    },
    run: async (sql, ...values) => (await prepared(sql)).run(values).changes,
    get: async (sql, ...values) => (await prepared(sql)).get(values),
    all: async (sql, ...values) => (await prepared(sql)).all(values),
    inTransaction: () => (raw as unknown as { readonly inTransaction: boolean }).inTransaction,
    close: () => {
      statements.clear();
      raw.close();
    },
  };
};
