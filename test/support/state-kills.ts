/** Restores and syncs killed with SIGKILL at random moments, and what every start after it must find (feature E2, invariant I6). */
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { StoreAccess } from '../../src/domain/store-access.ts';
import type { StateArchives } from '../../src/ports/state-archives.ts';
import { childProgram } from './child-program.ts';
import type { ChildOrder } from './state-child.ts';
import { openStateVolume, type StateVolume } from './state-volume.ts';

const CHILD = fileURLToPath(new URL('state-child.ts', import.meta.url));
const FILES = 60;

/** Milliseconds of its work when it came to its end before it was killed. */
const killed = (order: ChildOrder, afterMs: number): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [childProgram(CHILD), JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let complained = '';
    let timer: NodeJS.Timeout | undefined;
    let begun = 0;
    let took: number | undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('done')) took ??= performance.now() - begun;
      if (timer !== undefined) return;
      // The time counts from here: starting a process takes longer than what is tested.
      begun = performance.now();
      timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    });
    child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()));
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0 || code === null) resolve(took);
      else reject(new Error(`the child failed: ${complained.slice(-2000)}`));
    });
  });

const change = async (volume: StateVolume): Promise<void> => {
  const files: Record<string, string> = {};
  for (let n = 0; n < FILES; n += 1) {
    if (Math.random() < 0.5) files[`.the0-state/${String(n)}.json`] = randomBytes(randomInt(1, 4000)).toString('hex');
  }
  await volume.write(files);
  // A larger one, so that more than one part goes over the wire now and then.
  await writeFile(join(volume.statePath, 'large'), randomBytes(randomInt(1_000_000, 9_000_000)));
};

export interface Kills {
  /** At least; more when too few kills hit the work. */
  readonly rounds: number;
  readonly access: StoreAccess;
  readonly botId: string;
  readonly archives: StateArchives;
}

/** The longest that the first kills wait, milliseconds. */
const FIRST_WITHIN_MS = 400;
/** Most kills hit the work, some come after it; however fast the machine is. */
const LATE_SHARE = 1.4;

/** Resolves with how many of the children were killed before they had done their work. */
export const surviveKills = async ({ rounds, access, botId, archives }: Kills): Promise<number> => {
  const volume = await openStateVolume(archives);
  const { statePath, the0Path } = volume;
  let attempt = 0;
  let broken = 0;
  const withinMs: Partial<Record<ChildOrder['job'], number>> = {};
  const run = async (job: ChildOrder['job']): Promise<boolean> => {
    const order = { access, botId, attempt, statePath, the0Path, job };
    const took = await killed(order, Math.random() * (withinMs[job] ?? FIRST_WITHIN_MS));
    if (took === undefined) broken += 1;
    else withinMs[job] = took * LATE_SHARE;
    return took !== undefined;
  };
  try {
    // What the store holds for certain, and what else it may hold: a sync that was killed may have been through.
    let stored: Record<string, string> = {};
    let possible: Record<string, string>[] = [];
    // Chance decides what a kill hits: it goes on until enough of them hit the work.
    for (let round = 0; round < rounds || broken <= rounds / 3; round += 1) {
      attempt += 1;
      const isLost = round % 2 === 1;
      const before = await volume.tree();
      if (isLost) await volume.dropVolumes();
      const tries = randomInt(0, 3);
      for (let n = 0; n < tries; n += 1) if (await run('restore')) break;
      const keeper = volume.keeper({ attempt, keep: 3 });
      await keeper.restore();
      const found = await volume.tree();
      if (isLost) expect([stored, ...possible]).toContainEqual(found);
      else expect(found).toEqual(before);
      await change(volume);
      const wanted = await volume.tree();
      if (await run('sync')) {
        stored = wanted;
        possible = [];
      } else possible = [...possible, found, wanted];
      if (Math.random() < 0.3) {
        await volume.keeper({ attempt, keep: 3 }).sync({ final: true });
        stored = wanted;
        possible = [];
      }
    }
    return broken;
  } finally {
    await volume.close();
  }
};
