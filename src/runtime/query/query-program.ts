/** One process of a bot's query program, with its group: used for one query, then gone with all that it started. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../../domain/errors.ts';
import type { Command } from '../command-for.ts';
import type { OutputPipe } from '../output-pipe.ts';
import { keepLastWords } from './last-words.ts';

export interface QueryProgramOptions {
  readonly command: Command;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly pipe: OutputPipe;
  /** It waits for its variables at descriptor 3. */
  readonly gated: boolean;
}

export interface QueryProgram {
  readonly pid: number | undefined;
  /** Its exit code, 128 + n for a signal (contract §5). Never rejects: one that cannot be run exits with 127. */
  readonly ended: Promise<number>;
  /** It has ended, whether it was used or not. */
  hasEnded(): boolean;
  /** Hands a gated one its variables. False when it ended before it took them. */
  release(variables: string): Promise<boolean>;
  /** SIGKILL to all of its group. */
  kill(): void;
  /** What it said last. Waits a moment for what is still on its way. */
  lastWords(): Promise<string>;
  /** Lets go of its output. */
  close(): void;
}

const NOT_RUN = 127;
const GATE = 3;
const DRAIN_MS = 200;

/** @throws DroverError SPAWN_FAILED, e.g. when the configuration is longer than an environment may be */
const spawnIt = ({ command, cwd, env, pipe, gated }: QueryProgramOptions): ChildProcess => {
  const output = ['ignore', pipe.writeFd, pipe.writeFd] as const;
  try {
    return spawn(command.file, command.args, {
      cwd,
      env,
      detached: true,
      stdio: gated ? [...output, 'pipe'] : [...output],
    });
  } catch (error) {
    pipe.reader.destroy();
    throw new DroverError('SPAWN_FAILED', `${command.file}: ${(error as Error).message}`, { cause: error });
  } finally {
    // The child has it now; while we hold it the reader never ends.
    closeSync(pipe.writeFd);
  }
};

/** @throws DroverError SPAWN_FAILED */
export const startQueryProgram = (options: QueryProgramOptions): QueryProgram => {
  const { pipe, gated } = options;
  const child = spawnIt(options);
  const words = keepLastWords(pipe.reader, process.stderr);
  const gate = gated ? (child.stdio[GATE] as Duplex | undefined) : undefined;
  // One that dies before it reads, or closes it unread, says so by its end.
  gate?.on('error', () => undefined);
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // Nobody of it is left.
    }
  };
  const kill = (): void => {
    signal('SIGKILL');
  };
  let hasEnded = false;
  let complaint = '';
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']);
    });
    child.once('error', (error) => {
      complaint = `drover: ${options.command.file}: ${error.message}`;
      resolve(NOT_RUN);
    });
  }).then((code) => {
    hasEnded = true;
    kill();
    return code;
  });
  return {
    pid: child.pid,
    ended,
    hasEnded: () => hasEnded,
    release: (variables) =>
      new Promise((resolve) => {
        if (gate === undefined || gate.destroyed) {
          resolve(gate === undefined);
          return;
        }
        // A quick one may have ended before we hear that it took them: its end alone says nothing.
        gate.once('data', () => {
          resolve(true);
          gate.destroy();
        });
        gate.once('close', () => {
          resolve(false);
        });
        // Were its end of the gate in other hands, nobody would close it.
        void ended
          .then(() => sleep(DRAIN_MS, undefined, { ref: false }))
          .then(() => {
            resolve(false);
          });
        gate.write(variables);
        // The query before ran beside it, and may have stopped it.
        signal('SIGCONT');
      }),
    kill,
    async lastWords() {
      await Promise.race([words.ended, sleep(DRAIN_MS, undefined, { ref: false })]);
      return words.text() + complaint;
    },
    close() {
      gate?.destroy();
      pipe.reader.destroy();
    },
  };
};
