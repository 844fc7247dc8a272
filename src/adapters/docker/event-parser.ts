/** Concatenated JSON from a stream whose chunks end anywhere. What is no event is passed over, never the end of it. */
import { instanceOfLabels } from '../../domain/naming.ts';

export interface ParsedEvent {
  readonly id: string;
  readonly action: string;
  readonly botId: string;
  readonly timeNano: number;
  readonly labels: Readonly<Record<string, unknown>>;
}

interface RawEvent {
  readonly Action?: unknown;
  readonly Actor?: { readonly ID?: unknown; readonly Attributes?: Readonly<Record<string, unknown>> };
  readonly timeNano?: unknown;
}

const LONGEST_LINE = 1_000_000;

const toEvent = (line: string): ParsedEvent | undefined => {
  try {
    const { Action: action, Actor: actor, timeNano } = JSON.parse(line) as RawEvent;
    const labels = actor?.Attributes ?? {};
    const botId = instanceOfLabels(labels);
    const id = actor?.ID;
    return typeof action === 'string' &&
      typeof botId === 'string' &&
      typeof id === 'string' &&
      typeof timeNano === 'number'
      ? { id, action, botId, timeNano, labels }
      : undefined;
  } catch {
    return undefined;
  }
};

/** The engine writes one event a line. */
export const createEventParser = (): ((chunk: Buffer) => readonly ParsedEvent[]) => {
  const decoder = new TextDecoder();
  let rest = '';
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    return lines.map(toEvent).filter((event) => event !== undefined);
  };
};
