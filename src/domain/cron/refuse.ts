/** The one error of this folder. What was written is quoted in it, so it is kept short and free of control characters. */
import { DroverError } from '../errors.ts';

const LONGEST_QUOTE = 60;

/** A piece of a schedule's text for a message. */
export const quote = (piece: string): string =>
  JSON.stringify(piece.length > LONGEST_QUOTE ? `${piece.slice(0, LONGEST_QUOTE)}…` : piece);

/** SCHEDULE_INVALID with its reason; to be thrown. */
export const refuse = (reason: string, cause?: unknown): DroverError =>
  new DroverError('SCHEDULE_INVALID', reason, cause === undefined ? undefined : { cause });
