/** A program of the bot's: a process group of its own, its output passed on and kept; ended as a whole. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../domain/errors.ts';
import type { Command } from './command-for.ts';
import { openOutputPipe } from './output-pipe.ts';
import { CONTAINER, passOn } from './pass-on.ts';

export interface GroupOptions {
  readonly command: Command;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** `source`: the stream it comes from. */
  readonly onOutput: (chunk: Buffer, source: object) => void;
}

export interface GroupEnd {
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
}

export interface ProcessGroup {
  readonly pid: number | undefined;
  /** The end of its first process, with its output taken. @throws DroverError SPAWN_FAILED */
  readonly ended: Promise<GroupEnd>;
  /** To its first process alone: it decides what becomes of its children. */
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL to all of it. */
  killAll(): void;
}

/** A grandchild that holds the output open never holds us up (pitfall 47). */
const DRAIN_MS = 1_000;

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in this very moment, or nobody of the group is left.
  }
};

const endOf = (child: ChildProcess, file: string): Promise<GroupEnd> =>
  new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => {
      resolve({ ...(code === null ? {} : { code }), ...(signal === null ? {} : { signal }) });
    });
    child.once('error', (error) => {
      reject(new DroverError('SPAWN_FAILED', `${file}: ${error.message}`, { cause: error }));
    });
  });

/** @throws DroverError SPAWN_FAILED when the process cannot even be tried */
export const startGroup = ({ command, cwd, env, onOutput }: GroupOptions): ProcessGroup => {
  const pipes = [openOutputPipe(), openOutputPipe()] as const;
  const stdio = ['ignore', pipes[0].writeFd, pipes[1].writeFd] as const;
  let child: ChildProcess;
  try {
    child = spawn(command.file, command.args, { cwd, env, detached: true, stdio: [...stdio] });
  } catch (error) {
    // E.g. a configuration that is longer than an environment may be.
    throw new DroverError('SPAWN_FAILED', `${command.file}: ${(error as Error).message}`, { cause: error });
  } finally {
    // The child has them now; while we hold them the readers never end.
    for (const { writeFd } of pipes) closeSync(writeFd);
  }
  const outputs = [
    passOn(pipes[0].reader, CONTAINER.stdout, onOutput),
    passOn(pipes[1].reader, CONTAINER.stderr, onOutput),
  ];
  const { pid } = child;
  const killAll = (): void => {
    if (pid !== undefined) send(-pid, 'SIGKILL');
  };
  const ended = endOf(child, command.file)
    .then(async (end) => {
      killAll();
      await Promise.race([Promise.all(outputs), sleep(DRAIN_MS)]);
      return end;
    })
    .finally(() => {
      for (const { reader } of pipes) reader.destroy();
    });
  return {
    pid,
    ended,
    signal: (signal) => {
      if (pid !== undefined) send(pid, signal);
    },
    killAll,
  };
};
