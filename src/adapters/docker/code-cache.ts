/**
 * The code cache of this engine: a volume, filled by short-lived containers of ours, one a digest, for all bots that wait for
 * it. What lies there under its digest is whole, checked, and cannot be changed by a bot (ADR 0010).
 */
import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { DELIVERY } from '../../domain/delivery.ts';
import { DroverError, isErrorCode } from '../../domain/errors.ts';
import { isObject } from '../../domain/json.ts';
import { codeToolName, LABEL, QUERY_TOOL_ROLE, type CodeFiller } from '../../domain/naming.ts';
import type { ArchiveStore } from '../../ports/archive-store.ts';
import { codeVolume } from './bot-volumes.ts';
import { statusOf } from './docker-errors.ts';
import { hardened, USER } from './hardened.ts';
import type { Lane } from './lanes.ts';
import { putArchive } from './put-archive.ts';
import { runContainer } from './run-container.ts';

export interface CodeCacheOptions {
  readonly docker: Docker;
  readonly install: string;
  readonly filler: CodeFiller;
  readonly archives: ArchiveStore;
  /** The operator's, and never one of a document: it writes what all bots run. */
  readonly image: string;
  readonly pull: (image: string) => Promise<void>;
  /** Bounds how many containers fill at once. */
  readonly lane: Lane;
  readonly idleMs: number;
  /** @throws DroverError LEASE_LOST */
  readonly mayAct: () => void;
}

export interface CodeCache {
  /**
   * Resolves once the archive of this digest is there. `filePath`: where it comes from when it is not.
   * @throws DroverError ARCHIVE_MISSING, ARCHIVE_UNAVAILABLE, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE, CODE_INVALID, and as the engine does
   */
  ensure(digest: string, filePath: string): Promise<void>;
  /** A bot did not find it, or found something else under its name: it is brought again. */
  forget(digest: string): void;
}

/** Longest time that filling takes. */
export const FILL_TIMEOUT_MS = 15 * 60_000;
const LIMITS = { memoryMb: 256, pids: 64 };

const isThere = async (container: Docker.Container, path: string): Promise<boolean> => {
  try {
    await container.infoArchive({ path });
    return true;
  } catch (thrown) {
    if (statusOf(thrown) === 404) return false;
    throw thrown;
  }
};

const refusal = (output: string, complaints: string): DroverError => {
  try {
    const said: unknown = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
    if (isObject(said) && typeof said['code'] === 'string' && isErrorCode(said['code'])) {
      return new DroverError(said['code'], String(said['detail']));
    }
  } catch {
    // It did not come as far as saying why.
  }
  return new DroverError('ENGINE_ERROR', `the code could not be added to the code cache: ${complaints.slice(-500)}`);
};

export const createCodeCache = (options: CodeCacheOptions): CodeCache => {
  const { docker, install, filler, archives, image, pull, lane, idleMs, mayAct } = options;
  const known = new Set<string>();
  /** What lies under these digests is not to be believed. */
  const suspect = new Set<string>();
  const underWay = new Map<string, Promise<void>>();

  const run = async (digest: string, filePath: string): Promise<void> => {
    const random = randomBytes(4).toString('hex');
    const incoming = `incoming/${digest}.${random}`;
    const { codeCache } = DELIVERY;
    const result = await runContainer({
      docker,
      mayAct,
      timeoutMs: FILL_TIMEOUT_MS,
      options: {
        name: codeToolName(install, digest, filler, random),
        Image: image,
        User: USER,
        Cmd: ['/app/runtime', 'code', 'admit', digest, `${codeCache}/${incoming}`],
        Labels: { [LABEL.install]: install, [LABEL.role]: filler === 'query' ? QUERY_TOOL_ROLE : 'tool' },
        HostConfig: { ...hardened(LIMITS), Mounts: [codeVolume(install, false)], NetworkMode: 'none' },
      },
      prepare: async (container, abortSignal) => {
        if (!suspect.has(digest) && (await isThere(container, `${codeCache}/${digest}.zip`))) return false;
        const archive = await archives.openCode(filePath);
        if (archive === undefined) throw new DroverError('ARCHIVE_MISSING', `there is no code archive at ${filePath}`);
        mayAct();
        await putArchive({ container, archive, folder: codeCache, name: incoming, idleMs, abortSignal });
        return true;
      },
    });
    if (result !== undefined && result.code !== 0) throw refusal(result.output, result.complaints);
    suspect.delete(digest);
    known.add(digest);
  };

  const fill = async (digest: string, filePath: string): Promise<void> => {
    try {
      await lane(() => run(digest, filePath));
    } catch (thrown) {
      if (!(thrown instanceof DroverError) || thrown.code !== 'IMAGE_UNAVAILABLE') throw thrown;
      mayAct();
      await pull(image);
      await lane(() => run(digest, filePath));
    }
  };

  const ensure: CodeCache['ensure'] = (digest, filePath) => {
    if (known.has(digest)) return Promise.resolve();
    const waiting = underWay.get(digest);
    if (waiting !== undefined) {
      // Work of a term that is over is nothing to those of this one: they do it themselves.
      return waiting.catch((thrown: unknown) => {
        if (!(thrown instanceof DroverError) || thrown.code !== 'LEASE_LOST') throw thrown;
        return ensure(digest, filePath);
      });
    }
    const filling = fill(digest, filePath).finally(() => underWay.delete(digest));
    underWay.set(digest, filling);
    return filling;
  };
  return {
    ensure,
    forget(digest) {
      known.delete(digest);
      suspect.add(digest);
    },
  };
};
