import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { thisMachine, type Machine } from '../../scripts/machine.ts';
import { abandonedRuns, closeRun, openRun, type RunOfTests } from '../../scripts/test-run.ts';

let cache: string;
let machine: Machine;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'drover-runs-'));
  machine = { ...thisMachine, env: { ...thisMachine.env, DROVER_CACHE: cache } };
});
afterEach(() => rm(cache, { recursive: true, force: true }));

/** Its record, changed. */
const record = async (run: RunOfTests, change: Partial<RunOfTests>): Promise<void> => {
  const path = (await readdir(cache, { recursive: true })).find((name) => name.endsWith(`${run.mark}.json`));
  await writeFile(join(cache, path ?? ''), JSON.stringify({ ...run, ...change }));
};
const gone = async (): Promise<number> => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
};

describe('a run of the tests', () => {
  it('is not abandoned while its process lives, and leaves nothing', async () => {
    const run = await openRun(machine);
    expect(await abandonedRuns(machine)).toEqual([]);
    await writeFile(join(run.folder, 'left'), '');
    expect(await closeRun(run, machine)).toEqual(['left']);
    expect(existsSync(run.folder)).toBe(false);
    expect(await abandonedRuns(machine)).toEqual([]);
  });
  it('is abandoned when its process is gone, also when another one has its number by now', async () => {
    const run = await openRun(machine);
    await record(run, { pid: await gone() });
    expect((await abandonedRuns(machine)).map(({ mark }) => mark)).toEqual([run.mark]);
    await record(run, { startedAt: '1' });
    expect((await abandonedRuns(machine)).map(({ mark }) => mark)).toEqual([run.mark]);
    await closeRun(run, machine);
    expect(await abandonedRuns(machine)).toEqual([]);
  });
  it('a folder that others can write to, or a link to one, is left alone', async () => {
    const run = await openRun(machine);
    await writeFile(join(run.folder, 'theirs'), '');
    await chmod(run.folder, 0o777);
    expect(await closeRun(run, machine)).toEqual([]);
    expect(existsSync(join(run.folder, 'theirs'))).toBe(true);
    await chmod(run.folder, 0o711);
    const link = `${run.folder}-link`;
    await symlink(run.folder, link);
    expect(await closeRun({ ...run, folder: link }, machine)).toEqual([]);
    expect(existsSync(join(run.folder, 'theirs'))).toBe(true);
    await rm(link);
    expect(await closeRun(run, machine)).toEqual(['theirs']);
  });
});
