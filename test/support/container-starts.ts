/** What the engine itself tells of the containers of an install: the witness of how often something really ran. */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Begins to listen; nothing that happened before counts. */
export const watchStarts = async (install: string): Promise<ContainerStarts> => {
  const byName = new Map<string, number>();
  const label = [`drover.install=${install}`, 'drover.role=run'];
  const ended = new AbortController();
  const stream = await docker.getEvents({
    filters: { type: ['container'], event: ['start'], label },
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
  // The engine answers before it begins to collect.
  await sleep(500);
  return {
    byName,
    close: () => {
      ended.abort();
    },
  };
};
