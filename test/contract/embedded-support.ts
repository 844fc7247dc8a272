/** Fresh data folders, and processes of our own beside the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DATABASE_FILE } from '../../src/adapters/embedded/embedded-stores.ts';
import { connect, type SqlConnection } from '../../src/adapters/embedded/sql-connection.ts';
import { childProgram } from '../support/child-program.ts';

export interface DataDir {
  readonly path: string;
  readonly database: string;
  remove(): Promise<void>;
}

export const makeDataDir = async (): Promise<DataDir> => {
  const parent = await mkdtemp(join(tmpdir(), 'drover-embedded-'));
  const path = join(parent, 'data');
  return { path, database: join(path, DATABASE_FILE), remove: () => rm(parent, { recursive: true, force: true }) };
};

/** Runs a script of this folder with one argument. */
export const spawnScript = (script: string, argument: string): ChildProcess =>
  spawn(process.execPath, [childProgram(fileURLToPath(new URL(script, import.meta.url))), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/** Edits the closed file behind the store's back, as another program would. */
export const tamper = async (file: string, edit: (sql: SqlConnection) => Promise<unknown>): Promise<void> => {
  const connection = connect(file);
  await edit(connection);
  // Leaves WAL, so that the file is free at once.
  await connection.exec('PRAGMA journal_mode = DELETE; SELECT count(*) FROM meta;');
  connection.close();
};
