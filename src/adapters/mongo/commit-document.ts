/** A commit as one document: its single insert is atomic, so a batch of events needs no transaction. */
import { Long, type Document } from 'mongodb';
import { DroverError } from '../../domain/errors.ts';
import { canonicalJson } from '../../domain/json.ts';
import type { Cause, Commit, StoredEvent } from '../../domain/recorded.ts';

export interface CommitDocument extends Document {
  /** The position. */
  readonly _id: Long | number;
  readonly stream: string;
  readonly from: number;
  readonly to: number;
  readonly commandId: string;
  readonly prevHash: string;
  readonly hash: string;
  readonly recordedAt: number;
  readonly writer: string;
  readonly epoch: number;
  /** For people who look with other tools; the text below is what counts. */
  readonly types: readonly string[];
  /** Canonical JSON: it holds any key, and the hash is taken over exactly these characters. */
  readonly causes: string;
  readonly events: string;
}

export const toDocument = (commit: Commit): CommitDocument => ({
  _id: Long.fromNumber(commit.position),
  stream: commit.stream,
  from: commit.from,
  to: commit.to,
  commandId: commit.commandId,
  prevHash: commit.prevHash,
  hash: commit.hash,
  recordedAt: commit.recordedAt,
  writer: commit.writer,
  epoch: commit.epoch,
  types: commit.events.map(({ type }) => type),
  causes: canonicalJson(commit.causes),
  events: canonicalJson(commit.events),
});

const parseList = (text: unknown): readonly unknown[] => {
  const value: unknown = JSON.parse(String(text));
  if (!Array.isArray(value)) throw new SyntaxError('not a list');
  return value;
};

/** @throws DroverError STORE_CORRUPT when its events or causes are not a JSON list; names the position */
export const fromDocument = (document: CommitDocument): Commit => {
  const position = Number(document._id);
  try {
    return {
      position,
      stream: document.stream,
      from: document.from,
      to: document.to,
      events: parseList(document.events) as readonly StoredEvent[],
      commandId: document.commandId,
      causes: parseList(document.causes) as readonly Cause[],
      prevHash: document.prevHash,
      hash: document.hash,
      recordedAt: document.recordedAt,
      writer: document.writer,
      epoch: document.epoch,
    };
  } catch (thrown) {
    throw new DroverError('STORE_CORRUPT', `commit ${String(position)} cannot be read`, { cause: thrown });
  }
};
