/** Copies a bot's output to the container's and to whoever keeps it, no faster than the container's takes it. */
import type { Readable, Writable } from 'node:stream';

/**
 * Resolves when `source` has ended. A full `target` holds the source up, so memory stays bounded; a broken one is left
 * out from then on, because the bot must not stop for want of a reader.
 */
export const passOn = (source: Readable, target: Writable, keep: (chunk: Buffer) => void): Promise<void> =>
  new Promise((resolve) => {
    const resume = (): void => {
      source.resume();
    };
    target.once('error', resume);
    source.on('data', (chunk: Buffer) => {
      keep(chunk);
      if (target.destroyed || target.write(chunk)) return;
      source.pause();
      target.once('drain', resume);
    });
    source.on('error', () => source.destroy());
    source.once('close', () => {
      target.off('drain', resume);
      target.off('error', resume);
      resolve();
    });
  });
