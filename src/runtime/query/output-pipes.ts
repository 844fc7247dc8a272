/**
 * Pipes for the output of query programs, used in turn: a bot may open /dev/stdout, so they are no sockets (output-pipe.ts).
 * Made once a container, by one process beside everything else: a program of its own for each query would cost as much as the
 * query.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openOutputPipe, type OutputPipe } from '../output-pipe.ts';

export interface OutputPipes {
  /** @throws as the file system does */
  open(): OutputPipe;
}

/** The program that answers, the next one, and one whose last words are still read. */
const PIPES = 3;
/** A place in the file system, without opening what is there; it lives on when its name is gone. Linux, open(2). */
const O_PATH = 0o10000000;

export const makeOutputPipes = async (): Promise<OutputPipes> => {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-'));
  const free: number[] = [];
  try {
    const paths = Array.from({ length: PIPES }, (_, index) => join(folder, String(index)));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    free.push(...paths.map((path) => openSync(path, O_PATH)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {
    open() {
      const place = free.pop();
      // A program whose output is held open by what cannot be killed: rare, and worth a process.
      if (place === undefined) return openOutputPipe();
      const path = `/proc/self/fd/${String(place)}`;
      const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const writeFd = openSync(path, constants.O_WRONLY);
        const reader = new Socket({ fd: readFd, readable: true, writable: false });
        // What was in it went with its last end: the next one finds it empty.
        reader.once('close', () => free.push(place));
        return { reader, writeFd };
      } catch (error) {
        closeSync(readFd);
        throw error;
      }
    },
  };
};
