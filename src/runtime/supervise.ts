/**
 * Runs the bot: its own process group, its output passed on and kept, SIGTERM handed to it, its grace, then SIGKILL to
 * the whole group. A grandchild that holds the output open never holds us up (pitfall 47).
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../domain/errors.ts';
import type { Command } from './command-for.ts';

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

/** Passes a stream on at the pace of whoever reads us: a bot that prints without end fills no memory. */
const passOn = (from: Readable, to: NodeJS.WriteStream, onOutput: (chunk: Buffer) => void): Promise<void> =>
  new Promise((resolve) => {
    from.on('data', (chunk: Buffer) => {
      onOutput(chunk);
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
    from.once('close', resolve);
    from.once('error', () => {
      resolve();
    });
  });

/** @throws DroverError SPAWN_FAILED when the process cannot be started */
export const supervise = async (options: SuperviseOptions): Promise<BotEnd> => {
  const { command, cwd, env, graceMs, onOutput } = options;
  const child = spawn(command.file, command.args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const outputs = [passOn(child.stdout, process.stdout, onOutput), passOn(child.stderr, process.stderr, onOutput)];
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
    for (const { signal, listener } of listeners) process.off(signal, listener);
  }
};
