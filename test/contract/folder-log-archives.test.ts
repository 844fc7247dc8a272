/** Day files in a folder: the contract, and what a kill in the middle of an append leaves. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderLogArchives } from '../../src/adapters/embedded/folder-log-archives.ts';
import { logArchivesContract } from './log-archives-contract.ts';

const BOT = 'bot 1';
const STREAM = 'a'.repeat(16);

const openFolder = () => {
  const root = mkdtempSync(join(tmpdir(), 'drover-logs-'));
  const path = (day: string): string => join(root, 'logs', BOT, `${day}.log`);
  const close = (): void => {
    rmSync(root, { recursive: true, force: true });
  };
  return { root, path, close };
};

logArchivesContract('a folder', () => {
  const { root, path, close } = openFolder();
  return Promise.resolve({
    open: () => createFolderLogArchives(root, BOT),
    content: (day) => {
      try {
        return Promise.resolve(readFileSync(path(day)));
      } catch {
        return Promise.resolve(undefined);
      }
    },
    overwrite: async (day, content) => {
      await createFolderLogArchives(root, BOT).append(day, { stream: 'f'.repeat(16), from: 0, to: 1 }, Buffer.of());
      writeFileSync(path(day), content);
    },
    close: () => {
      close();
      return Promise.resolve();
    },
  });
});

describe('an append to a folder that was broken off', () => {
  let folder: ReturnType<typeof openFolder>;
  beforeEach(() => (folder = openFolder()));
  afterEach(() => {
    folder.close();
  });

  it.each(['', 'ne', 'new\n', 'new\nlines\n'])('is cut off and done again: %j was there', async (partial) => {
    const { root, path } = folder;
    await createFolderLogArchives(root, BOT).append(
      '20260131',
      { stream: STREAM, from: 0, to: 4 },
      Buffer.from('old\n'),
    );
    appendFileSync(path('20260131'), partial);
    writeFileSync(
      `${path('20260131')}.mark`,
      JSON.stringify({ stream: STREAM, position: 4, size: 4, appending: true }),
    );
    const piece = { stream: STREAM, from: 4, to: 14 };
    expect(await createFolderLogArchives(root, BOT).append('20260131', piece, Buffer.from('new\nlines\n'))).toBe(14);
    expect(readFileSync(path('20260131'), 'utf8')).toBe('old\nnew\nlines\n');
  });

  it('is an error of the table when the folder cannot be written', async () => {
    writeFileSync(join(folder.root, 'logs'), 'a file in the way');
    const archives = createFolderLogArchives(folder.root, BOT);
    await expect(
      archives.append('20260131', { stream: STREAM, from: 0, to: 4 }, Buffer.from('x\n')),
    ).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
  });
});
