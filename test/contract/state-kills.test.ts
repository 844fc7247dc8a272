/** kill -9 of whoever restores or stores state, in a folder as archive store. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFolderStateArchives } from '../../src/adapters/embedded/folder-state-archives.ts';
import { cases } from '../support/full.ts';
import { surviveKills } from '../support/state-kills.ts';

const ROUNDS = cases(9, 30);

it(
  'a kill at any moment of a restore or a sync leaves a whole state, and the right one',
  { timeout: 300_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drover-kills-'));
    const path = join(folder, 'store');
    await mkdir(path);
    try {
      const archives = createFolderStateArchives(path, 'bot');
      const broken = await surviveKills({
        rounds: ROUNDS,
        access: { kind: 'folder', path },
        botId: 'bot',
        archives,
      });
      // Else nothing was shown.
      expect(broken).toBeGreaterThan(ROUNDS / 3);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
