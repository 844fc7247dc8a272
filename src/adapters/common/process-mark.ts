/**
 * A mark by which processes on one host know whether one of them has ended: a name that the kernel holds for as long as the
 * process lives, however it ends (an abstract Unix socket of Linux). The name is known in one network namespace of one boot;
 * elsewhere nothing can be said. A process that hangs still has its name.
 */
import { randomBytes } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';

/** As it is stored beside what its process holds. */
export interface ProcessMark {
  /** The boot and the network namespace in which the name is known. */
  readonly place: string;
  readonly name: string;
}

export interface ProcessMarks {
  /** Of this process; undefined where the kernel has no such names. */
  own(): ProcessMark | undefined;
  /** True only when it is certain that the process has ended. Never rejects. */
  hasEnded(mark: ProcessMark): Promise<boolean>;
  close(): void;
}

/** A kernel answers at once; one that does not says nothing. */
const ANSWER_MS = 500;

/** Undefined where there is no such thing, or it cannot be read. */
const currentPlace = async (): Promise<string | undefined> => {
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return `${boot} ${await readlink('/proc/self/ns/net')}`;
  } catch {
    return undefined;
  }
};

const pathOf = (name: string): string => `\0${name}`;

/** Somebody has the name; `unknown` when the kernel does not say. */
const isBound = (name: string): Promise<boolean | 'unknown'> =>
  new Promise((resolve) => {
    const socket = connect({ path: pathOf(name) });
    const answer = (known: boolean | 'unknown'): void => {
      socket.destroy();
      resolve(known);
    };
    socket.setTimeout(ANSWER_MS, () => {
      answer('unknown');
    });
    socket.once('connect', () => {
      answer(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      answer(error.code === 'ECONNREFUSED' ? false : 'unknown');
    });
  });

const listen = (name: string): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.destroy();
    });
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ path: pathOf(name) }, () => {
      // It keeps no process alive.
      server.unref();
      resolve(server);
    });
  });

/** Takes a name for this process. Never rejects: without one, nothing is known. */
export const openProcessMarks = async (): Promise<ProcessMarks> => {
  const place = await currentPlace();
  const name = `drover-process-${randomBytes(12).toString('hex')}`;
  const server = place === undefined ? undefined : await listen(name);
  // A kernel that takes the name and does not find it has no such names.
  const works = server !== undefined && (await isBound(name)) === true;
  return {
    own: () => (works && place !== undefined ? { place, name } : undefined),
    hasEnded: async (mark) => works && mark.place === place && (await isBound(mark.name)) === false,
    close: () => {
      server?.close();
    },
  };
};
