/**
 * R37: a state of very many very small files. The fault speaks of 200,000, which take minutes: `STATE_FILES=200000` runs those,
 * `FULL=1` a tenth, and the usual run a fortieth.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cases } from '../support/full.ts';
import { openStateVolume } from '../support/state-volume.ts';

const EACH = 1000;
const FOLDERS = Math.ceil(Number(process.env['STATE_FILES'] ?? cases(5_000, 20_000)) / EACH);

it(
  `R37: ${String(FOLDERS * EACH)} tiny files are stored and restored, and cost nothing when nothing changes`,
  { timeout: 300_000 },
  async () => {
    const volume = await openStateVolume();
    try {
      await volume.keeper().restore();
      for (let folder = 0; folder < FOLDERS; folder += 1) {
        const path = join(volume.statePath, String(folder));
        mkdirSync(path);
        for (let n = 0; n < EACH; n += 1) writeFileSync(join(path, String(n)), `${String(folder)}/${String(n)}`);
      }
      expect(await volume.keeper().sync({ final: true })).toMatchObject({ status: 'synced' });
      const stored = await volume.archives.list();
      expect(
        JSON.parse((await volume.archives.manifest(stored[0] ?? { attempt: 0, sequence: 0 })) ?? ''),
      ).toMatchObject({
        files: FOLDERS * EACH,
      });
      await volume.keeper().sync({ final: false });
      expect(await volume.archives.list()).toEqual(stored);
      await volume.dropVolumes();
      await volume.keeper({ attempt: 2 }).restore();
      // Its tree was held against the manifest; whether it lies there is seen by a sync that finds no difference.
      await volume.keeper({ attempt: 2 }).sync({ final: true });
      expect(await volume.archives.list()).toEqual(stored);
      await rm(volume.statePath, { recursive: true });
    } finally {
      await volume.close();
    }
  },
);
