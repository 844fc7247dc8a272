/** Where drover keeps its data does not depend on where it is started, and data of an earlier version is never passed over. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { refuseFormerFolder } from '../../src/adapters/embedded/former-folder.ts';
import { describeConfig, loadConfig } from '../../src/config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-former-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('case C8: the default data folder does not depend on the working directory', () => {
  const { dataDir } = loadConfig({ env: {} });
  expect(isAbsolute(dataDir)).toBe(true);
  expect(dataDir).toBe(process.getuid?.() === 0 ? '/var/lib/drover' : join(homedir(), '.local/state/drover'));
  const env = { XDG_STATE_HOME: '/somewhere' };
  expect(loadConfig({ env }).dataDir).toBe('/somewhere/drover');
  // As its specification has it: what is not absolute does not count.
  expect(loadConfig({ env: { XDG_STATE_HOME: 'relative' } }).dataDir).toBe(dataDir);
  expect(loadConfig({ env: { ...env, DROVER_DATA_DIR: './mine' } }).dataDir).toBe('./mine');
  const shown = describeConfig(loadConfig({ env })).find(({ name }) => name === 'DROVER_DATA_DIR');
  expect(shown).toMatchObject({ value: '/somewhere/drover', origin: 'default' });
});

it.each(['drover.db', 'archives'])('case C8: data of an earlier version (%s) is not passed over in silence', (name) => {
  const dataDir = join(folder, 'state', 'drover');
  const former = join(folder, '.drover');
  expect(() => {
    refuseFormerFolder(dataDir, folder);
  }).not.toThrow();
  mkdirSync(former);
  writeFileSync(join(former, name), '');
  expect(() => {
    refuseFormerFolder(dataDir, folder);
  }).toThrow(`mv ${former} ${dataDir}`);
  expect(() => {
    refuseFormerFolder(dataDir, folder);
  }).toThrow(`DROVER_DATA_DIR=${former}`);
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'drover.db'), '');
  expect(() => {
    refuseFormerFolder(dataDir, folder);
  }).not.toThrow();
});
