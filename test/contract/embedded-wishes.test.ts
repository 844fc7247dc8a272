/** What is the embedded default's own beside the log: install id, broken rows, folders of archives. */
import { UnreadableDocument } from '../../src/domain/unreadable-document.ts';
import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeArchivePath } from '../../src/adapters/embedded/archive-path.ts';
import { openEmbeddedStores, type EmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import type { Asked } from '../../src/ports/spec-store.ts';
import { codeOf, newCommit } from './commits.ts';
import { makeDataDir, tamper, type DataDir } from './embedded-support.ts';

const asked: Asked = { requestId: 'r1', actor: 'ann', action: 'create', at: 1 };
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined, codeOf);

describe('the embedded stores', () => {
  let dir: DataDir;
  let stores: EmbeddedStores;
  const open = (installId?: string): Promise<EmbeddedStores> =>
    openEmbeddedStores({
      dataDir: dir.path,
      writer: 'test',
      now: () => 1_700_000_000_000,
      ...(installId === undefined ? {} : { installId }),
    });
  beforeEach(async () => {
    dir = await makeDataDir();
    stores = await open('cafe0001');
  });
  afterEach(async () => {
    await stores.close();
    await dir.remove();
  });

  it('keeps the install id given first and refuses another', async () => {
    await stores.close();
    expect(await failure(open('cafe0002'))).toBe('CONFIG_INVALID');
    expect(await failure(open('no-dash'))).toBe('CONFIG_INVALID');
    stores = await open();
    expect(await stores.specs.installId()).toBe('cafe0001');
  });

  it('writes its clock, writer and a growing epoch into commits', async () => {
    const first = await stores.events.append(newCommit('bot:a', 0));
    await stores.close();
    stores = await open();
    const second = await stores.events.append(newCommit('bot:a', 1));
    expect(first).toMatchObject({ recordedAt: 1_700_000_000_000, writer: 'test', epoch: 1 });
    expect(second.epoch).toBe(2);
  });

  it('a broken document on disk is the trouble of its own bot', async () => {
    for (const id of ['a', 'b', 'c']) await stores.specs.put(id, { id }, asked);
    await stores.close();
    await tamper(dir.database, (sql) =>
      sql.exec(`UPDATE specs SET document = '{"id": "b", brok', asked = 'x' WHERE id = 'b';
        INSERT INTO requests (bot_id, request_id, body) VALUES ('c', 'r', '{');`),
    );
    stores = await open();
    const { records } = await stores.specs.readFleet();
    expect(records.map(({ id, document }) => [id, document])).toEqual([
      ['a', { id: 'a' }],
      ['b', expect.any(UnreadableDocument)],
      ['c', { id: 'c' }],
    ]);
    expect(records[1]).not.toHaveProperty('asked');
    expect(records[2]?.requests).toEqual([]);
    expect((await stores.specs.read('b'))?.document).toBeInstanceOf(UnreadableDocument);
    expect((await stores.specs.put('b', { id: 'b' }, asked)).revision).toBe(2);
  });

  it('a file from before there were schedules gets their tables, and keeps its bots', async () => {
    await stores.specs.put('a', { id: 'a' }, asked);
    await stores.close();
    await tamper(dir.database, (sql) =>
      sql.exec('DROP TABLE schedules; DROP TABLE schedule_requests; PRAGMA user_version = 2;'),
    );
    stores = await open();
    await stores.schedules.put('a', { id: 'a', of: 'schedules' }, asked);
    expect((await stores.specs.read('a'))?.document).toEqual({ id: 'a' });
    expect((await stores.schedules.read('a'))?.document).toEqual({ id: 'a', of: 'schedules' });
    expect(await stores.schedules.installId()).toBe('cafe0001');
  });

  it('refuses ids that SQLite would change', async () => {
    for (const id of ['', 'a\u0000b', '\ud800']) {
      expect(await failure(stores.specs.put(id, { id }, asked))).toBe('BOT_ID_INVALID');
    }
  });

  it('ignores a snapshot that cannot be read', async () => {
    const snapshot = { stream: 'bot:a', version: 1, machineVersion: 1, at: 'stopped', context: {} } as never;
    await stores.snapshots.save([snapshot]);
    await stores.close();
    await tamper(dir.database, (sql) =>
      sql.exec(`INSERT INTO snapshots VALUES ('bot:b', '{'), ('bot:c', 'null'), ('bot:d', '{"stream":"bot:d"}'),
        ('bot:e', (SELECT body FROM snapshots WHERE stream = 'bot:a'));`),
    );
    stores = await open();
    expect(await stores.snapshots.loadAll()).toEqual([snapshot]);
  });

  it('makes archives readable for the user in the container, whatever the umask', async () => {
    const umask = process.umask(0o077);
    try {
      await stores.archives.putCode('u/bot/1', Readable.from(['zip']));
    } finally {
      process.umask(umask);
    }
    const path = codeArchivePath(stores.archiveRoot, 'u/bot/1');
    expect(path).toBe(join(dir.path, 'archives/custom-bots/u/bot/1'));
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    for (const folder of ['', 'u', 'u/bot']) {
      expect((await stat(join(stores.archiveRoot, 'custom-bots', folder))).mode & 0o777).toBe(0o755);
    }
    expect(() => codeArchivePath(stores.archiveRoot, '../x')).toThrow(/archive path/);
  });

  it('follows no link out of the archive folder', async () => {
    const outside = join(dir.path, 'outside');
    const bucket = join(stores.archiveRoot, 'custom-bots');
    await mkdir(outside);
    await mkdir(bucket);
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(bucket, 'out'));
    await symlink(join(outside, 'secret'), join(bucket, 'file'));
    await symlink(join(outside, 'not-there'), join(bucket, 'nowhere'));
    const { archives } = stores;
    expect(await failure(archives.sizeOfCode('out/secret'))).toBe('REQUEST_INVALID');
    expect(await failure(archives.sizeOfCode('file'))).toBe('REQUEST_INVALID');
    expect(await failure(archives.putCode('out/new', Readable.from(['x'])))).toBe('REQUEST_INVALID');
    expect(await failure(archives.putCode('out/new/deep', Readable.from(['x'])))).toBe('REQUEST_INVALID');
    expect(await failure(archives.putCode('nowhere/new', Readable.from(['x'])))).toBe('REQUEST_INVALID');
    // A link in the file's own place is replaced, not followed.
    await archives.putCode('file', Readable.from(['new']));
    expect((await readdir(outside)).sort()).toEqual(['secret']);
    expect((await stat(join(outside, 'secret'))).size).toBe(6);
    expect(await archives.sizeOfCode('file')).toBe(3);
  });

  it('follows a link that stays inside', async () => {
    await stores.archives.putCode('u/bot/1', Readable.from(['zip']));
    await symlink('bot', join(stores.archiveRoot, 'custom-bots/u/alias'));
    expect(await stores.archives.sizeOfCode('u/alias/1')).toBe(3);
  });

  it('refuses a key that is a folder, or lies below a file', async () => {
    await stores.archives.putCode('u/bot/1', Readable.from(['zip']));
    expect(await failure(stores.archives.putCode('u/bot', Readable.from(['x'])))).toBe('REQUEST_INVALID');
    expect(await failure(stores.archives.putCode('u/bot/1/frontend.js', Readable.from(['x'])))).toBe('REQUEST_INVALID');
  });

  it('removes what a cut-off upload left', async () => {
    const incoming = join(stores.archiveRoot, '.incoming');
    await mkdir(incoming, { recursive: true });
    await writeFile(join(incoming, 'half'), 'half');
    await chmod(join(incoming, 'half'), 0o644);
    await stores.close();
    stores = await open();
    expect(await readdir(stores.archiveRoot)).not.toContain('.incoming');
  });
});
