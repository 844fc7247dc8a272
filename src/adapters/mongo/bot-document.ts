/**
 * Documents of `bot_runner.bots` and `bot_scheduler.bot_schedules` (contract §3) and our own notes beside them, in one field that other readers ignore. The
 * notes carry a hash of the document as we wrote it: when it no longer fits, somebody else edited the document, and
 * whoever asked last asked for something else (the removal guard counts on that).
 */
import { createHash } from 'node:crypto';
import type { Document, ObjectId } from 'mongodb';
import { DroverError } from '../../domain/errors.ts';
import { canonicalJson, isObject } from '../../domain/json.ts';
import { shapeOf } from '../../domain/json-shape.ts';
import { jsonText } from '../../domain/json-text.ts';
import { JsonRefused, MAX_DEPTH, MAX_VALUES, parseJson } from '../../domain/parse-json.ts';
import { UnreadableDocument } from '../../domain/unreadable-document.ts';
import { positionOf } from '../common/stream-position.ts';
import type { StreamPosition } from '../../ports/message-bus.ts';
import type { Asked } from '../../ports/spec-store.ts';
import { keptFields } from './next-execution.ts';
import { mended, toBson, toPlainJson } from './plain-json.ts';

/** Our field at the root of a document. */
export const NOTES = '_drover';

export interface Notes {
  readonly revision: number;
  readonly asked?: Asked;
  /** sha256 of the document without schema and readme, canonical. */
  readonly hash: string;
  /** Which process wrote it. */
  readonly writer: string;
  readonly message?: StreamPosition;
  /** The whole document as JSON, when it cannot be kept as one: e.g. keys that the server refuses. */
  readonly raw?: string;
  /** The config as JSON, when BSON does not keep its numbers or keys as they were written. Counts while {@link hash} fits. */
  readonly config?: string;
}

export interface StoredBot {
  readonly key: ObjectId;
  readonly id: string;
  readonly document: unknown;
  readonly segment: unknown;
  /** Fields that are no part of the document, as they were found. */
  readonly aside: Document;
  /** Absent on a document that we never wrote. */
  readonly notes?: Notes;
  /** Somebody else wrote it, or changed it since. */
  readonly edited: boolean;
}

/** Without what is large and decides nothing: what the resync reads. */
export const SLIM = { 'custom.config.schema': 0, 'custom.config.readme': 0 } as const;

const slim = (document: unknown): unknown => {
  if (!isObject(document) || !isObject(document['custom']) || !isObject(document['custom']['config'])) return document;
  const { schema: _schema, readme: _readme, ...config } = document['custom']['config'];
  return { ...document, custom: { ...document['custom'], config } };
};

const isExact = (value: unknown): boolean => shapeOf(value, MAX_DEPTH, MAX_VALUES).isExact;

const asStored = (document: unknown): unknown => (isExact(document) ? toPlainJson(toBson(document)) : document);

/** Of the document as it comes back from the server, so without what only our notes keep of it. */
export const documentHash = (document: unknown): string =>
  createHash('sha256')
    .update(canonicalJson(slim(asStored(document))))
    .digest('hex');

/** The text of the config where the server keeps less of it: `10.0`, `1e5`, more digits than it has, an order of keys. */
export const exactConfig = (document: unknown): string | undefined => {
  const config = isObject(document) ? document['config'] : undefined;
  return isExact(config) ? jsonText(config) : undefined;
};

/** With the config as its text says; the text is ours, and holds only while nobody changed the document since. */
const withExactConfig = (document: unknown, text: string | undefined): unknown => {
  if (text === undefined || !isObject(document)) return document;
  try {
    return { ...document, config: parseJson(text) };
  } catch {
    return document;
  }
};

/** The document as it comes back from the server, so that its hash is taken of that. @throws DroverError DOCUMENT_INVALID */
export const asJson = (id: string, document: unknown): unknown => {
  try {
    const text = jsonText(document);
    // Text that is not well-formed is mended on its way into the server.
    if (text !== 'null') return mended(parseJson(text));
  } catch (thrown) {
    const why = thrown instanceof JsonRefused ? thrown.message : 'is not JSON';
    throw new DroverError('DOCUMENT_INVALID', `the document of ${id} ${why}`, { cause: thrown });
  }
  throw new DroverError('DOCUMENT_INVALID', `the document of ${id} is empty`);
};

const notesOf = (value: unknown): Notes | undefined => {
  const notes = toPlainJson(value);
  if (!isObject(notes) || typeof notes['revision'] !== 'number' || typeof notes['hash'] !== 'string') return undefined;
  const message = positionOf(notes['message']);
  const { revision, hash, writer, asked, raw, config } = notes;
  return {
    revision,
    hash,
    writer: typeof writer === 'string' ? writer : '',
    ...(isObject(asked) ? { asked: asked as unknown as Asked } : {}),
    ...(message === undefined ? {} : { message }),
    ...(typeof raw === 'string' ? { raw } : {}),
    ...(typeof config === 'string' ? { config } : {}),
  };
};

const parsed = (raw: string): unknown => {
  try {
    return parseJson(raw);
  } catch (thrown) {
    return new UnreadableDocument(thrown instanceof JsonRefused ? thrown.message : String(thrown));
  }
};

/** One that cannot be read harms its own bot alone. */
const plainOf = (found: Document): unknown => {
  try {
    return toPlainJson(found);
  } catch (thrown) {
    return new UnreadableDocument(`cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
};

/** What is left of it, and the fields of these names. */
const split = (found: Document, aside: readonly string[]): readonly [Document, Document] => {
  if (!aside.some((name) => name in found)) return [found, {}];
  const entries = Object.entries(found);
  return [
    Object.fromEntries(entries.filter(([key]) => !aside.includes(key))),
    Object.fromEntries(entries.filter(([key]) => aside.includes(key))),
  ];
};

/** Without those fields: whoever puts a document does not set them. */
export const withoutFields = (document: unknown, aside: readonly string[]): unknown =>
  isObject(document) ? split(document, aside)[0] : document;

/** Undefined for a document without an id: nobody's bot. `aside`: fields that are no part of it. */
export const readStoredBot = (found: Document, aside: readonly string[] = []): StoredBot | undefined => {
  const [ours, others] = split(found, aside);
  const { _id, [NOTES]: ownField, segment_id: segment, ...rest } = ours;
  if (typeof rest['id'] !== 'string') return undefined;
  const id = rest['id'];
  const notes = notesOf(ownField);
  const isRaw = notes?.raw !== undefined && Object.keys(rest).length === 1;
  const whole = isRaw ? parsed(notes.raw ?? '') : plainOf(rest);
  const edited = notes?.hash !== documentHash(whole);
  return {
    key: _id as ObjectId,
    id,
    document: edited ? whole : withExactConfig(whole, notes.config),
    segment,
    aside: others,
    ...(notes === undefined ? {} : { notes }),
    edited,
  };
};

/** Keys at the root that are not the user's to set, or that a server refuses there. */
const isReserved = (key: string): boolean =>
  key === '_id' || key === NOTES || key === 'segment_id' || key.startsWith('$');

/** Can it stand in the collection as itself? */
const isNative = (id: string, document: unknown): document is Record<string, unknown> =>
  isObject(document) && document['id'] === id && !Object.keys(document).some(isReserved);

/** What is written. `asText` keeps it readable for us alone, where the server would not take it as it is. */
export const toStoredBot = (
  id: string,
  document: unknown,
  notes: Notes,
  kept: { readonly segment?: unknown; readonly aside?: Document | undefined; readonly asText?: boolean },
): Document => {
  // Bookkeeping of the predecessor; its readers expect the field (contract §3).
  const beside = { segment_id: kept.segment ?? 0, ...keptFields(kept.aside ?? {}) };
  return kept.asText !== true && isNative(id, document)
    ? { ...(toBson(document) as Document), ...beside, [NOTES]: notes }
    : { id, ...beside, [NOTES]: { ...notes, raw: jsonText(document) } };
};
