/** New bytes of bot.log as they come, across rotation. Looks by stat: `fs.watch` says too much of a busy file. */
import { listSegments } from './log-files.ts';
import { readBlocks } from './read-lines.ts';
import { readableFrom } from './read-batch.ts';

export interface FollowOptions {
  readonly logsPath: string;
  /** Plain text that ends with a newline, but for a line that is longer than a chunk may be. Bytes that are no UTF-8 are left. */
  readonly onText: (text: Buffer) => void;
  readonly everyMs?: number;
}

/** Who is further behind goes on near the end: live means now, and the stored log has everything. */
const MOST_BEHIND = 8 * 1024 ** 2;
const MOST_HELD = 512 * 1024;
const NEWLINE = 10;

/** Begins with what is printed from now on. Returns how to end it; what is unfinished is then handed out. */
export const followLog = ({ logsPath, onText, everyMs = 500 }: FollowOptions): (() => void) => {
  let position: number | undefined;
  let held: Buffer = Buffer.alloc(0);
  const look = (): void => {
    try {
      const segments = listSegments(logsPath);
      const end = segments.at(-1)?.end ?? 0;
      // Emptied by somebody: go on with what comes now.
      if (position === undefined || position > end) position = end;
      const from = readableFrom(segments, Math.max(position, end - MOST_BEHIND));
      if (from > position) held = Buffer.alloc(0);
      position = from;
      for (const { bytes } of readBlocks(segments, from)) {
        position += bytes.length;
        const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
        const lines = all.lastIndexOf(NEWLINE) + 1;
        const cut = lines === 0 && all.length >= MOST_HELD ? all.length : lines;
        if (cut > 0) onText(all.subarray(0, cut));
        held = all.subarray(cut);
      }
    } catch {
      // Rotated while we looked, or a disk that fails: the next look tells.
    }
  };
  look();
  const timer = setInterval(look, everyMs).unref();
  return () => {
    clearInterval(timer);
    look();
    if (held.length > 0) onText(held);
  };
};
