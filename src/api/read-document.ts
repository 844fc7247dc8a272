/** A document in the body of a request, bounded. */
import type { Context } from 'hono';
import { DroverError } from '../domain/errors.ts';
import { invalidDocument, type DocumentFault, type InvalidDocument } from '../documents/bot-document.ts';
import { isMasked } from './bot-view.ts';
import { answerError, refused } from './errors.ts';

/** Undefined for a body that is not JSON. */
export const readDocument = async (context: Context): Promise<{ readonly document: unknown } | undefined> => {
  try {
    return { document: (await context.req.json()) as unknown };
  } catch {
    return undefined;
  }
};

export const notJson = (context: Context): Response => refused(context, 400, 'the body is not JSON');

/** Why a document is not taken, or undefined. */
export const refusalOf = (
  context: Context,
  document: unknown,
  decoded: { readonly kind: 'spec'; readonly warnings: readonly DocumentFault[] } | InvalidDocument,
): Response | undefined => {
  // Who sends it can still mend what is probably not meant as it is read.
  const unclear = decoded.kind === 'spec' ? decoded.warnings : [];
  const invalid = unclear.length > 0 ? invalidDocument(undefined, unclear) : decoded;
  if (invalid.kind === 'invalid') {
    const { code, reason, pointers } = invalid;
    return answerError(context, new DroverError(code, reason), { status: 422, pointers });
  }
  return isMasked(document)
    ? refused(context, 422, 'the document has masked values: read it with ?secrets=true, change that copy, and send it')
    : undefined;
};
