/** Controllers of scheduled bots that are killed at named points, and what their log and the engine say afterwards (fault R21). */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { runStream } from '../../src/domain/run-id.ts';
import { scheduleStream } from '../../src/domain/schedule-event.ts';
import type { PassedSlots, RunRecord } from '../../src/domain/scheduled-bot.ts';
import { foldRuns } from '../../src/machines/schedule/fold-runs.ts';
import { upcastSchedule } from '../../src/machines/schedule/upcast-schedule.ts';
import { childProgram } from './child-program.ts';
import { FULL } from './full.ts';

export const FAILPOINTS = [
  'before the claim',
  'after the claim',
  'after the create',
  'mid-run',
  'after the exit, before its record',
] as const;
export type Failpoint = (typeof FAILPOINTS)[number];

/** Side by side in one controller, so that one kill makes as many cases. */
export const SCHEDULES = FULL ? (['one', 'two', 'three', 'fails'] as const) : (['one', 'fails'] as const);
export const FAILS_WITH = { id: 'fails', code: 7 } as const;
export const PERIOD_MS = 4_000;

/** Counts its runs in its state, works a little, and ends with a code of its own. */
export const COUNTED = `
const fs = require('node:fs');
exports.main = async () => {
  const dir = process.env.STATE_DIR;
  fs.mkdirSync(dir, { recursive: true });
  const file = dir + '/count';
  const count = (fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0) + 1;
  fs.writeFileSync(file + '.new', String(count));
  fs.renameSync(file + '.new', file);
  console.log('count ' + count);
  await new Promise((resolve) => setTimeout(resolve, 500));
  process.exit(EXIT);
};`;

export interface Life {
  readonly dataDir: string;
  readonly install: string;
}

const start = ({ dataDir, install }: Life, failpoint: Failpoint | undefined): ChildProcess => {
  const env = { ...process.env, DATA_DIR: dataDir, INSTALL: install, ...(failpoint && { FAILPOINT: failpoint }) };
  const file = join(import.meta.dirname, 'schedule-child.ts');
  return spawn(process.execPath, [childProgram(file)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
};

/** Runs a controller until it has killed itself there. */
export const killedAt = async (life: Life, failpoint: Failpoint): Promise<void> => {
  const child = start(life, failpoint);
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`it did not come to "${failpoint}"`);
};

/** Runs a controller until each schedule has had a run in it, and then until all is at rest. */
export const runs = async (life: Life): Promise<void> => {
  const child = start(life, undefined);
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  if (child.stdout === null) throw new Error('it has no output');
  await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
  child.kill('SIGUSR2');
  const [code] = await ended;
  if (code !== 0) throw new Error(`the controller ended with ${String(code)}`);
};

export interface Told {
  readonly runs: readonly RunRecord[];
  readonly passed: readonly PassedSlots[];
  /** What its runs printed, in their order. */
  readonly counts: readonly number[];
}

/** What the log says of one schedule. Nobody else may have the data folder. */
export const readLog = async ({ dataDir, install }: Life, scheduleId: string): Promise<Told> => {
  const stores = await openEmbeddedStores({ dataDir, installId: install, writer: 'reader', now: Date.now });
  try {
    const { events } = stores.offices.runs;
    const commits = await events.read(scheduleStream(scheduleId));
    const { runs: found, passed } = foldRuns(
      scheduleId,
      commits.flatMap((commit) => commit.events.map(upcastSchedule)),
    );
    const counts: number[] = [];
    for (const { log } of found.values()) {
      for (const commit of await events.read(runStream(log.transitions))) {
        const tails = commit.events.flatMap(({ data }) => (data['logTail'] as readonly string[] | undefined) ?? []);
        for (const line of tails) {
          const count = /^count (\d+)$/.exec(line)?.[1];
          if (count !== undefined) counts.push(Number(count));
        }
      }
    }
    return { runs: [...found.values()], passed, counts };
  } finally {
    await stores.close();
  }
};
