/** `daemon sync` as a subprocess: started again when it dies, asked for the last sync at the end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SyncDaemonOptions {
  /** Arguments of this very program, e.g. `['daemon', 'sync']`. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What it complains about, also for the bot's log. */
  readonly onOutput: (chunk: Buffer) => void;
}

export interface SyncDaemon {
  readonly pid: () => number | undefined;
  /**
   * Asks for the last sync and waits at most `ms`: true when all of it is stored and verified. One that is dead by then is
   * started once more for that alone.
   */
  finish(ms: number): Promise<boolean>;
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** A daemon that lived this long died of something new. */
const HEALTHY_MS = 60_000;

export const startSyncDaemon = ({ args, env, onOutput }: SyncDaemonOptions): SyncDaemon => {
  let child: ChildProcess | undefined;
  let ending = false;
  let delay = FIRST_DELAY_MS;

  /** Resolves with its exit code; undefined when a signal or a failed start ended it. */
  const run = (more: readonly string[] = []): Promise<number | undefined> =>
    new Promise((resolve) => {
      const [, program = ''] = process.argv;
      const started = spawn(process.execPath, [...process.execArgv, program, ...args, ...more], {
        env,
        stdio: ['ignore', 'inherit', 'pipe'],
      });
      child = started;
      started.stderr.on('data', (chunk: Buffer) => {
        process.stderr.write(chunk);
        onOutput(chunk);
      });
      const over = (code: number | null): void => {
        if (child === started) child = undefined;
        resolve(code ?? undefined);
      };
      started.once('exit', over);
      started.once('error', () => {
        over(null);
      });
    });

  let current = run();
  const keep = async (): Promise<void> => {
    for (;;) {
      const begun = performance.now();
      await current;
      if (ending) return;
      onOutput(Buffer.from('drover: daemon sync ended unexpectedly and is restarted\n'));
      delay = performance.now() - begun > HEALTHY_MS ? FIRST_DELAY_MS : Math.min(delay * 2, MAX_DELAY_MS);
      await sleep(delay, undefined, { ref: false });
      if (ending as boolean) return;
      current = run();
    }
  };
  void keep();

  return {
    pid: () => child?.pid,
    async finish(ms) {
      ending = true;
      const begun = performance.now();
      const left = (): number => Math.max(0, ms - (performance.now() - begun));
      const within = async (work: Promise<number | undefined>): Promise<number | undefined> => {
        const late = new Promise<undefined>((resolve) => {
          setTimeout(() => {
            resolve(undefined);
          }, left()).unref();
        });
        const code = await Promise.race([work, late]);
        if (child !== undefined && left() === 0) child.kill('SIGKILL');
        return code;
      };
      if (child !== undefined) {
        child.kill('SIGTERM');
        const code = await within(current);
        if (code !== undefined) return code === 0;
      }
      return left() > 0 ? (await within(run(['--final']))) === 0 : false;
    },
  };
};
