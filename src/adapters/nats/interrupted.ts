/** Why reading the stream cannot go on as it was: all is looked at anew. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export const ANOTHER_READER = 'another process reads through the same consumer';
