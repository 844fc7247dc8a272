/** How many containers an install had, and had at once, as the engine itself tells: nothing is missed between two looks. */
import { watchEngineEvents } from './engine-events.ts';

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
  const there = new Set<string>();
  let [made, most] = [0, 0];
  const labels = [`drover.install=${install}`, `drover.role=${role}`];
  const watched = { events: ['create', 'destroy'], labels, since: Date.now() / 1_000 };
  const close = await watchEngineEvents(watched, ({ Action, id }) => {
    if (Action === 'destroy') {
      there.delete(id);
      return;
    }
    there.add(id);
    made += 1;
    most = Math.max(most, there.size);
  });
  return { made: () => made, there: () => there.size, most: () => most, close };
};
