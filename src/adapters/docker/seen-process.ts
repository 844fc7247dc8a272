/**
 * A container's first process as this host's /proc shows it: does it still live, and has its network this address? Synchronous,
 * some ten microseconds, so that each reply can be bound to its container (fault R40).
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const START_TIME = 22;
const STATE = 3;

/** Field n of /proc/<pid>/stat; the name in parentheses may hold anything, so they are counted from behind it. */
const fieldsOf = (stat: string): readonly string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
const fieldAt = (fields: readonly string[], number: number): string => fields[number - STATE] ?? '';

const isGone = (thrown: unknown): boolean => {
  const { code } = (thrown ?? {}) as { code?: unknown };
  return code === 'ENOENT' || code === 'ESRCH';
};

/** When it began, in ticks since the host did; undefined for one that is dead or was never there. @throws when that cannot be told */
const startOf = (pid: number): string | undefined => {
  try {
    const fields = fieldsOf(readFileSync(`/proc/${String(pid)}/stat`, 'latin1'));
    const state = fieldAt(fields, STATE);
    return state === 'Z' || state === 'X' ? undefined : fieldAt(fields, START_TIME);
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw thrown;
  }
};

const mentions = (path: string, text: string): boolean => {
  try {
    return readFileSync(path, 'latin1').includes(text);
  } catch {
    return false;
  }
};

/** Text of a network's fib_trie: is this one of its own addresses? */
export const hasLocalAddress = (trie: string, address: string): boolean => {
  const head = `|-- ${address}\n`;
  for (let at = trie.indexOf(head); at >= 0; at = trie.indexOf(head, at + 1)) {
    // What is known of an address stands below it, a line each, up to the next node.
    for (let line = at + head.length; line < trie.length;) {
      const end = trie.indexOf('\n', line);
      const text = trie.slice(line, end < 0 ? undefined : end).trimStart();
      if (!text.startsWith('/')) break;
      if (text.startsWith('/32 host LOCAL')) return true;
      if (end < 0) break;
      line = end + 1;
    }
  }
  return false;
};

export interface SeenProcess {
  /** It lives and has the address; undefined when that cannot be told now, e.g. for want of descriptors. */
  holds(): boolean | undefined;
  /** It lives; a read of a file that is kept open, which ends with the very process, whoever has its number next. */
  lives(): boolean;
  release(): void;
}

const READ_BYTES = 512;

const begun = (pid: number): string | undefined => {
  try {
    return startOf(pid);
  } catch {
    return undefined;
  }
};

/** Undefined where /proc does not show this very container: the engine is elsewhere, or counts its processes otherwise. */
export const seeProcess = (pid: number, containerId: string, address: string): SeenProcess | undefined => {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const folder = `/proc/${String(pid)}`;
  const since = begun(pid);
  const isOurs =
    since !== undefined &&
    // In a private cgroup namespace the first says nothing; the files that the engine mounts name the container too.
    (mentions(`${folder}/cgroup`, containerId) || mentions(`${folder}/mountinfo`, containerId));
  if (!isOurs) return undefined;
  const holds = (): boolean | undefined => {
    try {
      // The network first: when the process is the same afterwards, it was this one's.
      return hasLocalAddress(readFileSync(`${folder}/net/fib_trie`, 'latin1'), address) && startOf(pid) === since;
    } catch (thrown) {
      return isGone(thrown) ? false : undefined;
    }
  };
  let file: number | undefined;
  try {
    file = openSync(`${folder}/stat`, 'r');
  } catch {
    return undefined;
  }
  // Asked after the file is open: it is that of the process which this is true of.
  if (holds() !== true) {
    closeSync(file);
    return undefined;
  }
  const buffer = Buffer.alloc(READ_BYTES);
  let livedThisTurn = false;
  return {
    holds,
    lives() {
      // Replies of one turn of the event loop had all come when the first of them was asked about.
      if (livedThisTurn) return true;
      if (file === undefined) return false;
      try {
        const text = buffer.toString('latin1', 0, readSync(file, buffer, 0, READ_BYTES, 0));
        const state = fieldAt(fieldsOf(text), STATE);
        livedThisTurn = state !== 'Z' && state !== 'X' && state !== '';
        if (livedThisTurn) setImmediate(() => (livedThisTurn = false));
        return livedThisTurn;
      } catch {
        return false;
      }
    },
    release() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
};
