/**
 * Lines onto standard error, whatever becomes of it: a disk that is full, a reader that went away or that does not keep up must
 * never fail the call that logs, nor end the process.
 */
import { writeSync } from 'node:fs';

/** Standard output belongs to the transition log alone. */
const STDERR = 2;
/** Waits for a reader that does not keep up, in all for 100 ms a line. */
const TRIES = 20;
const WAIT_MS = 5;

const wait = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/** False when not all of it could be written. */
const write = (bytes: Buffer): boolean => {
  let at = 0;
  for (let tries = 0; at < bytes.length && tries < TRIES;) {
    try {
      at += writeSync(STDERR, bytes, at);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
      tries += 1;
      wait(WAIT_MS);
    }
  }
  return at === bytes.length;
};

/** What was lost is said in front of the next line that can be written. Never throws. */
export const createStderr = () => {
  let lost = 0;
  return {
    write(text: string): void {
      const missing = lost === 0 ? '' : `drover: ${String(lost)} lines of this log were lost\n`;
      if (write(Buffer.from(missing + text))) lost = 0;
      else lost += 1;
    },
  };
};
