/** What the engine tells of containers while a test looks on. */
import { createInterface } from 'node:readline';
import { docker } from './spine.ts';

export interface EngineEvent {
  readonly Action: string;
  readonly id: string;
  readonly Actor: { readonly Attributes: { readonly name?: string } };
}

export interface WatchedEvents {
  readonly events: readonly string[];
  readonly labels: readonly string[];
  /** Epoch seconds. The engine answers before it begins to collect: what happens in between it tells from its memory. */
  readonly since: number;
}

/** Returns how to stop. */
export const watchEngineEvents = async (
  { events: event, labels: label, since }: WatchedEvents,
  onEvent: (event: EngineEvent) => void,
): Promise<() => void> => {
  const ended = new AbortController();
  const filters = { type: ['container' as const], event: [...event], label: [...label] };
  const stream = await docker.getEvents({ filters, since, abortSignal: ended.signal });
  const lines = createInterface({ input: stream });
  // Aborting ends the stream with an error.
  for (const each of [stream, lines]) each.on('error', () => undefined);
  lines.on('line', (line) => {
    onEvent(JSON.parse(line) as EngineEvent);
  });
  return () => {
    ended.abort();
  };
};
