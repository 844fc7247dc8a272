/** Order of messages: only positions of the same stream can be compared. */
import { isObject } from '../../domain/json.ts';
import type { StreamPosition } from '../../ports/message-bus.ts';

/** Has the document already taken this message, or a later one? */
export const isStale = (stored: StreamPosition | undefined, position: StreamPosition | undefined): boolean =>
  stored !== undefined && stored.stream === position?.stream && stored.sequence >= position.sequence;

/** Undefined for what is no position. */
export const positionOf = (value: unknown): StreamPosition | undefined =>
  isObject(value) && typeof value['stream'] === 'string' && typeof value['sequence'] === 'number'
    ? { stream: value['stream'], sequence: value['sequence'] }
    : undefined;
