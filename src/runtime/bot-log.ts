/** /var/the0/logs/bot.log: what the bot printed, bounded. One older file is kept; a full disk never stops the bot. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DELIVERY } from '../domain/delivery.ts';

const MAX_BYTES = 10 * 1024 ** 2;

export interface BotLog {
  append(chunk: Buffer | string): void;
}

export const openBotLog = (path: string = DELIVERY.logFile, maxBytes = MAX_BYTES): BotLog => {
  let size = 0;
  try {
    mkdirSync(dirname(path), { recursive: true });
    size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // Told by the first append that fails, below, to nobody: the container's own output still has everything.
  }
  return {
    append(chunk) {
      try {
        if (size > maxBytes) {
          renameSync(path, `${path}.1`);
          size = 0;
        }
        appendFileSync(path, chunk);
        size += Buffer.byteLength(chunk);
      } catch {
        // A log that cannot be written is no reason for the bot to stop.
      }
    },
  };
};
