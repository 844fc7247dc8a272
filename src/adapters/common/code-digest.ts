/** SHA-256 of code archives, each version hashed once. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { CodeDigest, OpenArchive } from '../../ports/archive-store.ts';

const REMEMBERED = 10_000;

export interface DigestCache {
  /** `version` tells one content from another: an etag, or what the file system says of a file. */
  of(filePath: string, version: string, open: () => Promise<OpenArchive | undefined>): Promise<CodeDigest | undefined>;
}

export const createDigestCache = (): DigestCache => {
  const known = new Map<string, CodeDigest>();
  return {
    async of(filePath, version, open) {
      const key = `${version} ${filePath}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      const archive = await open();
      if (archive === undefined) return undefined;
      const hash = createHash('sha256');
      await pipeline(archive.content, hash);
      const digest = { sha256: hash.digest('hex'), size: archive.size };
      if (known.size >= REMEMBERED) known.clear();
      known.set(key, digest);
      return digest;
    },
  };
};
