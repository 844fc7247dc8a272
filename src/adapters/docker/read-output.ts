/** The end of a container's output, read with a limit and a deadline: nothing is gathered but what is kept. */
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import { createLastBytes, createSplitter } from './split-streams.ts';

export interface OutputWanted {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** The last entries; all when left out. */
  readonly tail?: number;
  /** The last bytes that are kept. */
  readonly most: number;
}

const WITHIN_MS = 5_000;

/** Of a container that has ended: `follow` makes the engine's client hand over a stream, and such a container adds nothing to it. */
export const readOutput = async (container: Docker.Container, wanted: OutputWanted): Promise<string> => {
  const { most, ...which } = wanted;
  const abortSignal = AbortSignal.timeout(WITHIN_MS);
  const stream = await container.logs({ ...which, follow: true, abortSignal });
  const last = createLastBytes(most);
  const split = createSplitter({ onStdout: last.add, onStderr: last.add });
  const into = new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        split(chunk);
        done();
      } catch (thrown) {
        done(thrown as Error);
      }
    },
  });
  await pipeline(stream, into, { signal: abortSignal });
  return last.text();
};
