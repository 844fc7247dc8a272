/** Asks the transfer process: forked when there is a job, let go after a while without one. One job at a time. */
import { fork, type ChildProcess } from 'node:child_process';
import type { TransferAnswer, TransferJob, TransferResult } from './jobs.ts';

export interface TransferClientOptions {
  /** Path of the program to fork. */
  readonly entry: string;
  readonly env: NodeJS.ProcessEnv;
  /** The process is let go after this many milliseconds without a job. */
  readonly idleMs: number;
}

export interface TransferClient {
  /** Never rejects: a process that dies or takes longer than `timeoutMs` (queueing not counted) is a `failed` result. */
  ask(job: TransferJob, timeoutMs: number): Promise<TransferResult>;
  /** Gives up what runs and what waits, and resolves once the process is gone. The client may be asked again afterwards. */
  close(): Promise<void>;
}

/** The bot shares this container's memory: what lives for a moment is thrown away early, at no measured cost. */
const SMALL_HEAP = ['--max-semi-space-size=1', '--optimize-for-size'];

const unsynced = (detail: string): TransferResult => ({ kind: 'failed', error: { code: 'STATE_UNSYNCED', detail } });

const gone = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null || child.pid === undefined
    ? Promise.resolve()
    : new Promise((resolve) =>
        child.once('exit', () => {
          resolve();
        }),
      );

export const openTransfer = ({ entry, env, idleMs }: TransferClientOptions): TransferClient => {
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let nextId = 1;
  /** Raised by `close`: what was asked before it is not begun after it. */
  let closes = 0;

  const start = (): ChildProcess => {
    const execArgv = [...process.execArgv, ...SMALL_HEAP];
    const started = fork(entry, [], { env, execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // A process that cannot even start says so by `error`; without a listener that would end this one.
    started.on('error', () => undefined);
    started.once('exit', () => {
      if (child === started) child = undefined;
    });
    return started;
  };

  const letGo = (): void => {
    const old = child;
    child = undefined;
    if (old?.connected === true) old.disconnect();
  };

  const askNow = (job: TransferJob, timeoutMs: number): Promise<TransferResult> =>
    new Promise((resolve) => {
      clearTimeout(idle);
      if (child?.connected !== true) child = start();
      const asked = child;
      const id = nextId++;
      const settle = (result: TransferResult): void => {
        clearTimeout(timer);
        asked.off('message', onMessage).off('exit', onExit).off('error', onError);
        idle = setTimeout(letGo, idleMs).unref();
        resolve(result);
      };
      const onMessage = (message: unknown): void => {
        const answer = message as TransferAnswer;
        if (answer.id === id) settle(answer.result);
      };
      const onExit = (code: number | null, signal: string | null): void => {
        settle(unsynced(`the transfer process ended (${signal ?? String(code)}) during a job`));
      };
      const onError = (error: Error): void => {
        if (child === asked) child = undefined;
        settle(unsynced(`the transfer process failed: ${error.message}`));
      };
      const timer = setTimeout(() => {
        if (child === asked) child = undefined;
        asked.kill('SIGKILL');
        settle(unsynced(`the transfer process did not end its job within ${String(timeoutMs)} ms`));
      }, timeoutMs);
      asked.on('message', onMessage).on('exit', onExit).on('error', onError);
      asked.send({ id, job }, (error) => {
        if (error !== null) onError(error);
      });
    });

  return {
    ask(job, timeoutMs) {
      const asked = closes;
      const answer = last.then(() =>
        asked === closes ? askNow(job, timeoutMs) : unsynced('the job was cancelled before it began'),
      );
      last = answer;
      return answer;
    },
    async close() {
      closes += 1;
      clearTimeout(idle);
      const old = child;
      child = undefined;
      if (old === undefined) return;
      old.kill('SIGKILL');
      await gone(old);
    },
  };
};
