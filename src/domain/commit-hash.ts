/** The hash chain of the log: each commit seals itself and its predecessor, so that a changed byte is found and named. */
import { createHash } from 'node:crypto';
import { canonicalJson } from './json.ts';
import type { Commit } from './recorded.ts';

/** `prevHash` of the very first commit. */
export const GENESIS_HASH = '0'.repeat(64);

/** sha256 (hex) over the predecessor's hash and the canonical text of the record without its own hash. */
export const commitHash = (record: Omit<Commit, 'hash'>): string =>
  createHash('sha256').update(record.prevHash).update(canonicalJson(record)).digest('hex');

/** The commit with its seal. */
export const sealCommit = (record: Omit<Commit, 'hash'>): Commit => ({ ...record, hash: commitHash(record) });

/** What is wrong with a whole log, read from its beginning; undefined when every commit is as it was written. */
export const chainFault = (commits: readonly Commit[]): string | undefined => {
  let prevHash = GENESIS_HASH;
  for (const [index, { hash, ...record }] of commits.entries()) {
    const at = `position ${String(index + 1)}`;
    if (record.position !== index + 1) return `${at} is missing`;
    if (record.prevHash !== prevHash) return `${at}: prevHash is not the hash of the commit before it`;
    if (commitHash(record) !== hash) return `${at}: hash does not match the content`;
    prevHash = hash;
  }
  return undefined;
};
