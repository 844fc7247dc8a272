/** One hash for a whole tree: paths and contents, in order. Times and modes are not part of a bot's state. */
import { createHash } from 'node:crypto';

export interface TreeHash {
  folder(path: string): void;
  /** `sha256`: hex, of the content. */
  file(path: string, sha256: string): void;
  digest(): string;
}

/** Folders first, then files, each sorted by path: whoever makes one must keep that order. */
export const createTreeHash = (): TreeHash => {
  const hash = createHash('sha256');
  return {
    folder: (path) => void hash.update(`${path}\0/\n`),
    file: (path, sha256) => void hash.update(`${path}\0${sha256}\n`),
    digest: () => hash.digest('hex'),
  };
};

export const EMPTY_TREE = createTreeHash().digest();
