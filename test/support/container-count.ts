/** How many containers an install had, and had at once, as the engine itself tells: nothing is missed between two looks. */
import { createInterface } from 'node:readline';
import { docker } from './spine.ts';

export interface ContainerCount {
  /** Made since. */
  made(): number;
  /** Made since and not removed. */
  there(): number;
  /** The largest number of `there`. */
  most(): number;
  close(): void;
}

/** Counts those that are made from now on. */
export const countContainers = async (install: string, role: string): Promise<ContainerCount> => {
  const ended = new AbortController();
  const stream = await docker.getEvents({
    // The engine tells what it remembers since then: nothing is lost before it begins to collect.
    since: Date.now() / 1_000,
    filters: {
      type: ['container'],
      event: ['create', 'destroy'],
      label: [`drover.install=${install}`, `drover.role=${role}`],
    },
    abortSignal: ended.signal,
  });
  const there = new Set<string>();
  let [made, most] = [0, 0];
  const lines = createInterface({ input: stream });
  // Aborting ends the stream with an error.
  for (const each of [stream, lines]) each.on('error', () => undefined);
  lines.on('line', (line) => {
    const { Action, id } = JSON.parse(line) as { readonly Action: string; readonly id: string };
    if (Action === 'destroy') {
      there.delete(id);
      return;
    }
    there.add(id);
    made += 1;
    most = Math.max(most, there.size);
  });
  return {
    made: () => made,
    there: () => there.size,
    most: () => most,
    close: () => {
      ended.abort();
    },
  };
};
