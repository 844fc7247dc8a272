/** Checks an append and makes its text before it waits for its turn, so that a bad one fails alone. */
import { DroverError } from '../../domain/errors.ts';
import { canonicalJson } from '../../domain/json.ts';
import type { Cause, NewCommit, StoredEvent } from '../../domain/recorded.ts';

/** The long members as canonical text, made before the write begins. */
export interface CommitTexts {
  readonly causes: string;
  readonly events: string;
}

export interface PreparedAppend {
  readonly stream: string;
  readonly expectedVersion: number;
  readonly commandId: string;
  /** As they will be read back, not as they were handed in. */
  readonly events: readonly StoredEvent[];
  readonly causes: readonly Cause[];
  readonly texts: CommitTexts;
}

const refuse = (message: string, cause?: unknown): DroverError =>
  new DroverError('REQUEST_INVALID', message, { cause });

/** Stores cut text at NUL or rewrite ill-formed Unicode: such a name would come back as another. */
const checkName = (what: string, name: string): void => {
  if (name === '' || name.includes('\u0000') || !name.isWellFormed()) throw refuse(`${what} is not a usable name`);
};

/** @throws DroverError REQUEST_INVALID when it has no events, or something in it cannot be stored as JSON */
export const prepareAppend = (commit: NewCommit, mintId: () => string): PreparedAppend => {
  if (commit.events.length === 0) throw refuse(`an append to ${commit.stream} has no events`);
  if (!Number.isSafeInteger(commit.expectedVersion) || commit.expectedVersion < 0) {
    throw refuse(`expectedVersion ${String(commit.expectedVersion)} is not an integer of at least 0`);
  }
  const commandId = commit.commandId ?? mintId();
  checkName('stream', commit.stream);
  checkName('commandId', commandId);
  try {
    const texts = { causes: canonicalJson(commit.causes), events: canonicalJson(commit.events) };
    return {
      stream: commit.stream,
      expectedVersion: commit.expectedVersion,
      commandId,
      events: JSON.parse(texts.events) as readonly StoredEvent[],
      causes: JSON.parse(texts.causes) as readonly Cause[],
      texts,
    };
  } catch (thrown) {
    throw refuse(`an append to ${commit.stream} cannot be stored as JSON`, thrown);
  }
};
