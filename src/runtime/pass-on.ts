/** Copies a bot's output, line by line, to the container's and to whoever keeps it, no faster than the container's takes it. */
import type { Readable, Writable } from 'node:stream';
import { lineSink, outputLines, type LineSink } from './output-lines.ts';

/** The beginning of a line is passed on when nothing follows for this long. */
const QUIET_MS = 250;
/** The state of a line that is written over itself is passed on this often. */
const STATE_MS = 10_000;

/** Where a stream of ours ends: the container's standard output or standard error. */
export interface OutputTarget {
  readonly stream: Writable;
  readonly sink: LineSink;
}

export const outputTarget = (stream: Writable): OutputTarget => ({
  stream,
  sink: lineSink((bytes) => stream.destroyed || stream.write(bytes)),
});

/** Both streams of this container. All that is printed goes by them, so that no line is mixed with another one. */
export const CONTAINER = { stdout: outputTarget(process.stdout), stderr: outputTarget(process.stderr) } as const;

/** Prints a line of ours. */
export const printLine = ({ sink }: OutputTarget, line: string): void => {
  sink.put(CONTAINER, Buffer.from(`${line}\n`));
};

/**
 * Resolves when `source` has ended. A full `target` holds the source up, so memory stays bounded; a broken one is left
 * out from then on, because the bot must not stop for want of a reader.
 */
export const passOn = (
  source: Readable,
  { stream, sink }: OutputTarget,
  keep: (chunk: Buffer, source: object) => void,
): Promise<void> =>
  new Promise((resolve) => {
    const lines = outputLines();
    let timer: NodeJS.Timeout | undefined;
    let waited: ReturnType<typeof lines.waits>;
    const resume = (): void => {
      source.resume();
    };
    const send = (bytes: Buffer | undefined): void => {
      if (bytes === undefined || bytes.length === 0) return;
      keep(bytes, source);
      if (sink.put(source, bytes)) return;
      source.pause();
      stream.once('drain', resume);
    };
    const wait = (): void => {
      const waits = lines.waits();
      // A state is passed on from time to time, however often it changes.
      if (waits === 'overwritten' && waited === waits) return;
      waited = waits;
      clearTimeout(timer);
      if (waits === undefined) return;
      timer = setTimeout(
        () => {
          waited = undefined;
          send(lines.rest());
        },
        waits === 'line' ? QUIET_MS : STATE_MS,
      );
      timer.unref();
    };
    stream.once('error', resume);
    source.on('data', (chunk: Buffer) => {
      send(lines.take(chunk));
      wait();
    });
    source.on('error', () => source.destroy());
    source.once('close', () => {
      clearTimeout(timer);
      send(lines.rest());
      stream.off('drain', resume);
      stream.off('error', resume);
      resolve();
    });
  });
