/** What a bot says of its own end: the SDK's `error(…)` writes result.json and prints nothing (contract §6.3). */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../domain/json.ts';
import { printable } from '../domain/printable.ts';

const MOST_BYTES = 64 * 1024;
const MOST_CHARACTERS = 500;

/** What distinguishes one writing of a file from another. */
const stampOf = (path: string): string | undefined => {
  try {
    const { ino, size, mtimeNs } = lstatSync(path, { bigint: true });
    return [ino, size, mtimeNs].map(String).join(' ');
  } catch {
    return undefined;
  }
};

const readText = (path: string): string => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MOST_BYTES) return '';
    const bytes = Buffer.alloc(stat.size);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
};

/** Call it before the bot runs: an older result says nothing of this run. Returns how to read the bot's message, afterwards. */
export const watchResult = (codePath: string): (() => string | undefined) => {
  const path = join(codePath, 'result.json');
  const before = stampOf(path);
  return () => {
    if (stampOf(path) === before) return undefined;
    try {
      const result: unknown = JSON.parse(readText(path));
      if (!isObject(result) || typeof result['message'] !== 'string') return undefined;
      const message = printable(result['message']).trim();
      return message === '' ? undefined : message.slice(0, MOST_CHARACTERS);
    } catch {
      return undefined;
    }
  };
};

/** Remembers the end of what was printed. */
export const outputTail = (bytes = 8_192) => {
  let tail = Buffer.alloc(0);
  return {
    add: (chunk: Buffer): void => {
      tail = Buffer.concat([tail, chunk.subarray(-bytes)]).subarray(-bytes);
    },
    includes: (text: string): boolean => tail.includes(text),
  };
};
