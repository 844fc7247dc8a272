/** Runs projects of the test runner in a process group of their own, so that nothing of them outlives the run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalGroup } from './signal-group.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** How long the runner may take to end its workers and servers before they are killed. */
const STOP_MS = 10_000;

export interface TestRun {
  /** Of the runner; 1 when it was ended by a signal. Whatever its tests have forgotten is ended by then. */
  readonly exitCode: Promise<number>;
  /** Cuts it off, with all that the tests themselves had started: it may tidy up, the second time it may not. */
  stop(): Promise<void>;
}

export interface TestRunOptions {
  readonly projects: readonly string[];
  /** `related`: `args` begin with the files whose tests shall run. */
  readonly command?: 'run' | 'related';
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export const runVitest = ({ projects, command = 'run', args, env }: TestRunOptions): TestRun => {
  const named = projects.flatMap((project) => ['--project', project]);
  const how = command === 'run' ? ['run'] : ['related', '--run'];
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...how, ...named, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    // A group of its own: the runner alone would leave its workers behind, and they their servers.
    detached: true,
    env: { ...process.env, ...env, TEST_PARENT: String(process.pid) },
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  let isStopping = false;
  return {
    exitCode: closed.then(([code]) => {
      signalGroup(child.pid, 'SIGKILL');
      return code ?? 1;
    }),
    stop: async () => {
      signalGroup(child.pid, isStopping ? 'SIGKILL' : 'SIGTERM');
      isStopping = true;
      const over = new AbortController();
      const late = sleep(STOP_MS, undefined, { signal: over.signal }).catch(() => undefined);
      await Promise.race([closed, late]);
      over.abort();
      signalGroup(child.pid, 'SIGKILL');
    },
  };
};
