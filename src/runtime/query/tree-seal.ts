/**
 * Whether a tree is still as it was. A state that is a copy belongs to the user that the bot's code runs as: it can lift what keeps
 * it read-only, and what one query wrote the next would take for the bot's state (issue 6 point 4).
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The time of the last change says it all: unlike the others nobody can set it. A look does not change it. */
const lookOf = (root: string): string => {
  const hash = createHash('sha256');
  const note = (path: string): void => {
    const { mode, uid, size, ino, ctimeNs } = lstatSync(path, { bigint: true });
    hash.update(`${path}\0${[mode, uid, size, ino, ctimeNs].join(' ')}\0`);
  };
  note(root);
  for (const { parentPath, name } of readdirSync(root, { recursive: true, withFileTypes: true })) {
    note(join(parentPath, name));
  }
  return hash.digest('hex');
};

/** @returns whether it is as it is now. @throws as the file system does, when it cannot be looked at now */
export const sealTree = (root: string): (() => boolean) => {
  const sealed = lookOf(root);
  return () => {
    try {
      return lookOf(root) === sealed;
    } catch {
      // Somebody has locked it, or changes it while we look.
      return false;
    }
  };
};
