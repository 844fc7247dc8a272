/** A document from anywhere, before anything else reads it: bounded, and with doubles in the fields that are drover's own. */
import { MAX_DEPTH, MAX_VALUES, tooDeep, tooMany } from '../domain/parse-json.ts';
import { shapeOf, withDoubles } from '../domain/json-shape.ts';
import { UnreadableDocument } from '../domain/unreadable-document.ts';
import { pointerOf, type DocumentFault } from './faults.ts';

export type ReadableDocument =
  | { readonly kind: 'fault'; readonly fault: DocumentFault }
  /** `plain`: with doubles, for our own fields. */
  | { readonly kind: 'readable'; readonly plain: unknown };

/** Where the first number stands that JSON cannot express. */
const endless = (value: unknown, path: readonly string[] = []): readonly string[] | undefined => {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = endless(member, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
};

const refused = (message: string, pointer = ''): ReadableDocument => ({ kind: 'fault', fault: { pointer, message } });

/** Never throws. */
export const readableDocument = (document: unknown): ReadableDocument => {
  if (document instanceof UnreadableDocument) return refused(document.reason);
  const { isTooDeep, isTooLarge, isExact, isEndless } = shapeOf(document, MAX_DEPTH, MAX_VALUES);
  if (isTooDeep) return refused(tooDeep(MAX_DEPTH));
  if (isTooLarge) return refused(tooMany(MAX_VALUES));
  if (isEndless) return refused('is a number that JSON cannot express', pointerOf('', endless(document) ?? []));
  return { kind: 'readable', plain: isExact ? withDoubles(document) : document };
};
