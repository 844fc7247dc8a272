/** A document in the body of a request, bounded. */
import type { Context } from 'hono';
import { DroverError } from '../domain/errors.ts';
import { jsonText } from '../domain/json-text.ts';
import { JsonRefused, parseJson } from '../domain/parse-json.ts';
import { invalidDocument, type DocumentFault, type InvalidDocument } from '../documents/bot-document.ts';
import { decodeText, EncodingRefused } from '../documents/decode-text.ts';
import { isMasked } from './bot-view.ts';
import { answerError, refused } from './errors.ts';

/** The document with its numbers as they were written, or the answer that refuses it. */
export const readDocument = async (context: Context): Promise<{ readonly document: unknown } | Response> => {
  try {
    const text = decodeText(new Uint8Array(await context.req.arrayBuffer()));
    return { document: parseJson(text, { uniqueKeys: true }) };
  } catch (thrown) {
    if (thrown instanceof EncodingRefused) return refused(context, 400, `the body ${thrown.message}`);
    if (!(thrown instanceof JsonRefused)) throw thrown;
    if (thrown.isSyntax) return refused(context, 400, `the body ${thrown.message}`);
    const fault = { pointer: '', message: thrown.message };
    return answerError(context, new DroverError('DOCUMENT_INVALID', `the document ${thrown.message}`), {
      status: 422,
      pointers: [fault],
    });
  }
};

/** An answer with all numbers of documents in it as they were written. */
export const answerExactly = (context: Context, value: unknown): Response =>
  context.body(jsonText(value), 200, { 'content-type': 'application/json' });

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
