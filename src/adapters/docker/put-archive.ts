/** A code archive of any size into a container's volume, streamed: it costs no memory, and a silent source is given up. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { DroverError } from '../../domain/errors.ts';
import type { OpenArchive } from '../../ports/archive-store.ts';
import { toEngineError } from './docker-errors.ts';

const ANSWER_SHARE = 3;

export interface PutArchive {
  readonly container: Docker.Container;
  readonly archive: OpenArchive;
  /** Folder of the container, and the name below it. */
  readonly folder: string;
  readonly name: string;
  /** Longest time without a byte that moves, ms. The engine's answer to the whole may take three times as long. */
  readonly idleMs: number;
  readonly abortSignal: AbortSignal;
}

interface Progress {
  bytes(): void;
  whole(): void;
  broken(thrown: unknown): void;
}

/**
 * Passes on exactly as many bytes as were announced. What breaks off, or is of another length, is known here before the tar is
 * broken for it: otherwise the engine's complaint about half a tar may come first.
 */
const exactly = (size: number, on: Progress) =>
  async function* (content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    try {
      let passed = 0;
      for await (const chunk of content) {
        passed += chunk.length;
        if (passed > size) throw new Error(`it is longer than its announced size of ${String(size)} bytes`);
        on.bytes();
        yield chunk;
      }
      if (passed < size) throw new Error(`it ended after ${String(passed)} of ${String(size)} bytes`);
    } catch (thrown) {
      on.broken(thrown);
      throw thrown;
    }
  };

const tarOf = ({ archive, name }: PutArchive, on: Progress) => {
  const tar = pack();
  const fill = async (): Promise<void> => {
    const entry = tar.entry({ name, mode: 0o444, size: archive.size, uid: 1_000, gid: 1_000 });
    await pipeline(archive.content, exactly(archive.size, on), entry);
    on.whole();
    tar.finalize();
  };
  fill().catch(on.broken);
  return Readable.from(tar, { objectMode: false });
};

/** Whole or not at all as far as anybody who reads it is concerned: it gets its true name later. @throws DroverError */
export const putArchive = async (options: PutArchive): Promise<void> => {
  const { container, archive, folder, idleMs, abortSignal } = options;
  const abort = new AbortController();
  const giveUp = (): void => {
    abort.abort();
  };
  let broken: unknown;
  let idle = setTimeout(giveUp, idleMs);
  const tar = tarOf(options, {
    bytes: () => idle.refresh(),
    whole: () => {
      clearTimeout(idle);
      idle = setTimeout(giveUp, ANSWER_SHARE * idleMs);
    },
    broken: (thrown) => {
      broken ??= thrown;
      abort.abort();
    },
  });
  try {
    await container.putArchive(tar, { path: folder, abortSignal: AbortSignal.any([abort.signal, abortSignal]) });
  } catch (thrown) {
    // An archive that broke off is the cause; the engine's complaint about half a tar only follows from it.
    if (broken instanceof DroverError) throw broken;
    if (broken === undefined && abort.signal.aborted) {
      throw new DroverError(
        'ENGINE_TIMEOUT',
        `the transfer of the code to the engine made no progress for ${String(idleMs)} ms`,
      );
    }
    if (broken !== undefined) {
      const why = broken instanceof Error ? broken.message : 'the reason is unknown';
      throw new DroverError('ARCHIVE_UNAVAILABLE', `the transfer of the code archive was interrupted: ${why}`, {
        cause: broken,
      });
    }
    throw toEngineError(thrown);
  } finally {
    clearTimeout(idle);
    archive.content.destroy();
    tar.destroy();
  }
};
