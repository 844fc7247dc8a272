/**
 * Puts what a bot's container needs where `runtime execute` reads it: code and configuration as files on the bot's own
 * volume. Through the engine, never by a path of its host: the archive may lie anywhere, and so may the engine.
 */
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import type { BotSpec } from '../../domain/bot.ts';
import { DELIVERY } from '../../domain/delivery.ts';
import { DroverError } from '../../domain/errors.ts';
import type { ArchiveStore, OpenArchive } from '../../ports/archive-store.ts';
import { toEngineError } from './docker-errors.ts';

const ANSWER_SHARE = 3;
const OWNER = { uid: 1_000, gid: 1_000 };

export const archiveMissing = (filePath: string): DroverError =>
  new DroverError('ARCHIVE_MISSING', `there is no code archive at ${filePath}`);

/** One tar for both, made while it is read: an archive of any size costs no memory. `onBroken` is told why it broke off. */
const tarOf = (
  archive: OpenArchive,
  spec: BotSpec,
  onBytes: () => void,
  onWhole: () => void,
  onBroken: (thrown: unknown) => void,
): Readable => {
  const tar = pack();
  const entries = async (): Promise<void> => {
    const code = tar.entry({ name: basename(DELIVERY.codeArchive), mode: 0o444, size: archive.size, ...OWNER });
    archive.content.on('data', onBytes);
    await pipeline(archive.content, code);
    onWhole();
    tar.entry({ name: basename(DELIVERY.configFile), mode: 0o400, ...OWNER }, JSON.stringify(spec.config));
    tar.finalize();
  };
  entries().catch(onBroken);
  return Readable.from(tar, { objectMode: false });
};

export interface Delivery {
  readonly container: Docker.Container;
  readonly spec: BotSpec;
  readonly archives: ArchiveStore;
  /** Longest time without a byte that moves, ms. The engine's answer to the whole may take three times as long. */
  readonly idleMs: number;
  readonly abortSignal: AbortSignal;
}

/** Whole or not at all as far as a start is concerned: what broke off is written over by the next try. @throws DroverError */
export const deliver = async ({ container, spec, archives, idleMs, abortSignal }: Delivery): Promise<void> => {
  const archive = await archives.openCode(spec.code.filePath);
  if (archive === undefined) throw archiveMissing(spec.code.filePath);
  const abort = new AbortController();
  const giveUp = (): void => {
    abort.abort();
  };
  let broken: unknown;
  let idle = setTimeout(giveUp, idleMs);
  const tar = tarOf(
    archive,
    spec,
    () => idle.refresh(),
    () => {
      clearTimeout(idle);
      idle = setTimeout(giveUp, ANSWER_SHARE * idleMs);
    },
    (thrown) => {
      broken = thrown;
      abort.abort();
    },
  );
  try {
    await container.putArchive(tar, {
      path: dirname(DELIVERY.codeArchive),
      abortSignal: AbortSignal.any([abort.signal, abortSignal]),
    });
  } catch (thrown) {
    // An archive that broke off is the cause; the engine's complaint about half a tar only follows from it.
    if (broken instanceof DroverError) throw broken;
    if (broken === undefined && abort.signal.aborted) {
      throw new DroverError('ENGINE_TIMEOUT', `delivering the code stood still for ${String(idleMs)} ms`);
    }
    if (broken !== undefined) {
      const why = broken instanceof Error ? broken.message : 'without a reason';
      throw new DroverError('ARCHIVE_UNAVAILABLE', `the archive broke off on its way: ${why}`, { cause: broken });
    }
    throw toEngineError(thrown);
  } finally {
    clearTimeout(idle);
    archive.content.destroy();
    tar.destroy();
  }
};
