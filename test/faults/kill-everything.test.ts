/**
 * kill -9 of every process of a bot's container at several moments; the bot that is started again finds what it last kept
 * (faults R19, R20 inside the container, features E1, E7).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { doneAlso } from '../../src/adapters/docker/docker-errors.ts';
import { until } from '../../scripts/until.ts';
import { processesIn, type Process } from '../support/container-commands.ts';
import { FULL } from '../support/full.ts';
import { docker, startSpine, type Spine } from '../support/spine.ts';
import { COUNTING } from '../support/state-bots.ts';

let spine: Spine;
beforeAll(async () => {
  spine = await startSpine({
    resyncIntervalMs: 2_000,
    policy: { maxCrashes: 50, backoffFirstMs: 100, backoffMaxMs: 300 },
  });
});
afterAll(() => spine.end());

const WHO = {
  'PID 1': ({ command }: Process) => command.includes('tini'),
  'runtime execute': ({ command }: Process) => /runtime\s+execute/.test(command) && !command.includes('tini'),
  'daemon sync': ({ command }: Process) => /daemon\s+sync/.test(command),
  'the transfer process': ({ command }: Process) => command.includes('transfer'),
  'the bot': ({ command }: Process) => command.includes('node_bot.js'),
} as const;
const ALL_MOMENTS_MS = [0, 150, 300, 450, 600, 800, 1_000, 1_400, 1_900, 2_500];
/** In the usual run the first, some between and the last. */
const MOMENTS_MS = FULL ? ALL_MOMENTS_MS : [0, 300, 800, 2_500];

const output = async (container: string): Promise<string> =>
  (await docker.getContainer(container).logs({ stdout: true, stderr: true })).toString('utf8');
const last = (text: string, word: string): number =>
  Math.max(0, ...[...text.matchAll(new RegExp(`${word} (\\d+)`, 'g'))].map(([, n]) => Number(n)));

/** Only where this host sees the processes of the engine's containers can a hand kill them. */
const seesProcesses = (): boolean => {
  try {
    return execFileSync('ps', ['-e']).length > 0 && readFileSync('/proc/self/stat', 'utf8') !== '';
  } catch {
    return false;
  }
};

describe.skipIf(!seesProcesses())('kill -9', () => {
  // Each has a bot of its own, and most of the time goes by in waits.
  it.concurrent.for(Object.keys(WHO) as (keyof typeof WHO)[])(
    'R19, R20: of %s at several moments: what the bot had kept is there when it is started again',
    { timeout: 240_000 },
    async (who, { expect }) => {
      const id = `killed-${String(Object.keys(WHO).indexOf(who))}`;
      await spine.deploy(id, COUNTING);
      let kept = 0;
      let killed = 0;
      let judged = '';
      // The transfer process is there only while something is moved, so more moments are needed to meet it.
      for (const moment of who === 'the transfer process' ? ALL_MOMENTS_MS : MOMENTS_MS) {
        if (killed === MOMENTS_MS.length) break;
        const { containerId } = await spine.reaches(id, 'running', ({ containerId: found }) => found !== null);
        const container = containerId ?? '';
        const find = async (): Promise<Process | undefined> => (await processesIn(container)).find(WHO[who]);
        // Moments count from when it is there: a busy machine starts it late.
        await until(async () => (await find()) !== undefined || (await output(container)).includes('kept'), {
          every: 20,
          otherwise: () => `${who} is not seen in ${container}`,
        });
        await sleep(moment);
        const victim = await find();
        if (victim !== undefined) {
          killed += 1;
          process.kill(victim.pid, 'SIGKILL');
        }
        // What it said it had kept, it must find; it may have kept one more than it could say.
        await sleep(100);
        const said = await output(container).catch(() => '');
        if (said.includes('found')) {
          if (container !== judged) expect(last(said, 'found')).toBeGreaterThanOrEqual(kept);
          judged = container;
          kept = Math.max(kept, last(said, 'kept'));
        }
        if (victim === undefined) continue;
        // These the bot does not even notice; the whole container is killed after them, so that the next start is seen.
        if (who === 'daemon sync' || who === 'the transfer process') {
          expect(spine.bot(id)?.containerId).toBe(containerId);
          kept = Math.max(kept, last(await output(container), 'kept'));
          // It may have ended by itself: a start that loses its transfer process while it restores is not gone on with.
          await doneAlso([409], () => docker.getContainer(container).kill());
        }
        // Of a bot that nobody knows any more there would be another one, too: `reaches` asks for it by name.
        await spine.reaches(id, 'running', ({ containerId: found }) => found !== null && found !== containerId);
      }
      expect(killed).toBeGreaterThan(who === 'the transfer process' ? 0 : 0.7 * MOMENTS_MS.length);
      const { containerId } = await spine.reaches(id, 'running');
      await expect.poll(() => output(containerId ?? '')).toMatch(/kept \d+/);
      expect(last(await output(containerId ?? ''), 'kept')).toBeGreaterThan(kept);
      // Whatever was killed: in the end it is stored, as a stop shows.
      await spine.put(id, spine.document(id, { config: { enabled: false } }));
      await spine.reaches(id, 'stopped', ({ unsynced }) => !unsynced);
    },
  );
});
