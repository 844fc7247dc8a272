/** What the engine itself tells of the containers of an install: the witness of how often something really ran. */
import { watchEngineEvents } from './engine-events.ts';

export interface ContainerStarts {
  /** Starts of containers that carry our role `run`, by name. */
  readonly byName: ReadonlyMap<string, number>;
  close(): void;
}

/** Before anything of the install runs. */
export const watchStarts = async (install: string): Promise<ContainerStarts> => {
  const byName = new Map<string, number>();
  const labels = [`drover.install=${install}`, 'drover.role=run'];
  const since = Math.floor(Date.now() / 1_000) - 60;
  const close = await watchEngineEvents({ events: ['start'], labels, since }, ({ Actor }) => {
    const name = Actor.Attributes.name ?? '';
    byName.set(name, (byName.get(name) ?? 0) + 1);
  });
  return { byName, close };
};
