/**
 * Whether a tree is still as it was. A state that is a copy belongs to the user that the bot's code runs as: it can lift what keeps
 * it read-only, and what one query wrote the next would take for the bot's state.
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

/** @returns whether it is as it is now; never, when it cannot be looked at now: then one query is answered from it, and no other */
export const sealTree = (root: string): (() => boolean) => {
  let sealed: string | undefined;
  try {
    sealed = lookOf(root);
  } catch {
    return () => false;
  }
  return () => {
    try {
      return lookOf(root) === sealed;
    } catch {
      // Somebody has locked it, or changes it while we look.
      return false;
    }
  };
};
