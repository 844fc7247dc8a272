/** The bytes of a request from its connection, bounded; the connection stays whole, so that it can be answered. */
import type { IncomingMessage } from 'node:http';
import { CallerGone } from '../domain/cancellation.ts';

/** Undefined for more than `maxBytes`: the rest is left unread. @throws CallerGone */
export const readIncoming = (incoming: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let held = 0;
    // Leaving a loop over the stream would destroy it, and its connection with it.
    const onData = (chunk: Buffer): void => {
      held += chunk.length;
      if (held <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      stop();
      incoming.pause();
      resolve(undefined);
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    };
    const onClose = (): void => {
      stop();
      reject(new CallerGone());
    };
    const stop = (): void => {
      incoming.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    if (incoming.destroyed) {
      reject(new CallerGone());
      return;
    }
    incoming.on('data', onData).on('end', onEnd).on('close', onClose);
  });
