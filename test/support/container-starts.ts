/** What the engine itself tells of the containers of an install: the witness of how often something really ran. */
import { createInterface } from 'node:readline';
import { docker } from './spine.ts';

export interface ContainerStarts {
  /** Starts of containers that carry our role `run`, by name. */
  readonly byName: ReadonlyMap<string, number>;
  close(): void;
}

interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly Attributes: { readonly name?: string } };
}

/** Before anything of the install runs. */
export const watchStarts = async (install: string): Promise<ContainerStarts> => {
  const byName = new Map<string, number>();
  const label = [`drover.install=${install}`, 'drover.role=run'];
  const ended = new AbortController();
  const stream = await docker.getEvents({
    filters: { type: ['container'], event: ['start'], label },
    // The engine answers before it begins to collect: what happens in between it tells from its memory.
    since: Math.floor(Date.now() / 1_000) - 60,
    abortSignal: ended.signal,
  });
  const lines = createInterface({ input: stream });
  // Aborting ends the stream with an error.
  for (const each of [stream, lines]) each.on('error', () => undefined);
  lines.on('line', (line) => {
    const { Actor } = JSON.parse(line) as EngineEvent;
    const name = Actor.Attributes.name ?? '';
    byName.set(name, (byName.get(name) ?? 0) + 1);
  });
  return {
    byName,
    close: () => {
      ended.abort();
    },
  };
};
