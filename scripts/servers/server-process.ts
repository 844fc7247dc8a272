/** A server program that tests may end, freeze and start again: same port, same data. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../until.ts';

const READY_MS = 60_000;
const STOP_MS = 10_000;

export interface ServerProcess {
  /** Resolves once it answers. */
  start(): Promise<void>;
  /** Ends it, and resolves once it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stopped as by a debugger: connections stay, nothing answers. */
  freeze(): void;
  thaw(): void;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Does it answer now? May throw when it does not. */
  answers(): Promise<boolean>;
}

/** A test run that is cut off leaves no server behind. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

export const createServerProcess = ({ command, args, env, answers }: ServerCommand): ServerProcess => {
  let child: ChildProcess | undefined;
  let output = '';
  /** Its last word on the first line, all of it below. */
  const failed = (what: string): Error =>
    new Error(`${command} ${what} (${output.trim().split('\n').at(-1) ?? ''})\n${output}`);
  const waitUntilReady = async (started: ChildProcess): Promise<void> => {
    const isReady = async (): Promise<boolean> => {
      if (isOver(started)) throw failed('ended at once');
      return answers().catch(() => false);
    };
    await until(isReady, { within: READY_MS, otherwise: () => failed('does not answer').message });
  };
  return {
    start: async () => {
      output = '';
      const started = spawn(command, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      alive.add(started);
      started.once('exit', () => alive.delete(started));
      const note = (chunk: Buffer): void => {
        output = (output + chunk.toString()).slice(-4_000);
      };
      started.stdout.on('data', note);
      started.stderr.on('data', note);
      await once(started, 'spawn').catch((thrown: unknown) => {
        alive.delete(started);
        child = undefined;
        throw thrown;
      });
      await waitUntilReady(started);
    },
    kill: async (signal) => {
      const ending = child;
      child = undefined;
      if (ending === undefined || isOver(ending)) return;
      const over = once(ending, 'exit');
      ending.kill(signal);
      // One that was frozen, or has much to tidy up, is not waited for long.
      const timer = setTimeout(() => ending.kill('SIGKILL'), STOP_MS);
      await over;
      clearTimeout(timer);
    },
    freeze: () => {
      child?.kill('SIGSTOP');
    },
    thaw: () => {
      child?.kill('SIGCONT');
    },
  };
};
