/**
 * A pipe for the output of a child. Node's own `stdio: 'pipe'` is a socket, and a bot that opens /dev/stdout (a common way
 * to log in containers) fails on one; the reference gives its bots a pipe, so do we.
 */
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface OutputPipe {
  readonly reader: Readable;
  /** For the child; close it once the child has it, else the reader never ends. */
  readonly writeFd: number;
}

/** @throws as the file system does */
export const openOutputPipe = (): OutputPipe => {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-'));
  try {
    const path = join(folder, 'output');
    execFileSync('mkfifo', ['-m', '600', path]);
    // Opening the reading end first, without waiting, lets the writing end open without waiting too.
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeFd = openSync(path, constants.O_WRONLY);
    return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
