/**
 * Runs the bot: its own process group, its output passed on and kept, SIGTERM handed to it, its grace, then SIGKILL to
 * the whole group. A grandchild that holds the output open never holds us up (pitfall 47).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../domain/errors.ts';
import type { Command } from './command-for.ts';
import { openOutputPipe } from './output-pipe.ts';
import { passOn } from './pass-on.ts';

export interface SuperviseOptions {
  readonly command: Command;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** From a signal to us until SIGKILL to the bot, ms. */
  readonly graceMs: number;
  readonly onOutput: (chunk: Buffer) => void;
}

export interface BotEnd {
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
  /** The signal that we were sent. */
  readonly received?: NodeJS.Signals;
}

const FORWARDED = ['SIGTERM', 'SIGINT'] as const;
const DRAIN_MS = 1_000;

const toGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody of the group is left.
  }
};

/** @throws DroverError SPAWN_FAILED when the process cannot be started */
export const supervise = async (options: SuperviseOptions): Promise<BotEnd> => {
  const { command, cwd, env, graceMs, onOutput } = options;
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
    passOn(pipes[0].reader, process.stdout, onOutput),
    passOn(pipes[1].reader, process.stderr, onOutput),
  ];
  let received: NodeJS.Signals | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const listeners = FORWARDED.map((signal) => {
    const listener = (): void => {
      received ??= signal;
      if (child.pid === undefined) return;
      const { pid } = child;
      try {
        process.kill(pid, signal);
      } catch {
        // It ended in this very moment.
      }
      killTimer ??= setTimeout(() => {
        toGroup(pid, 'SIGKILL');
      }, graceMs);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('exit', (...end) => {
        resolve(end);
      });
      child.once('error', (error) => {
        reject(new DroverError('SPAWN_FAILED', `${command.file}: ${error.message}`, { cause: error }));
      });
    });
    if (child.pid !== undefined) toGroup(child.pid, 'SIGKILL');
    await Promise.race([Promise.all(outputs), sleep(DRAIN_MS)]);
    return {
      ...(code === null ? {} : { code }),
      ...(signal === null ? {} : { signal }),
      ...(received === undefined ? {} : { received }),
    };
  } finally {
    clearTimeout(killTimer);
    for (const { reader } of pipes) reader.destroy();
    for (const { signal, listener } of listeners) process.off(signal, listener);
  }
};
