/** The part of the table of errors that documents have beyond a wrong value. */
import { row, type ErrorRow } from './error-row.ts';

export const DOCUMENT_ERRORS = {
  IMAGE_NOT_ALLOWED: row(
    'rejected',
    'The document names an image that the operator of drover has not allowed.',
    'Remove `drover.image` from the document, or add the image to BOT_IMAGES_ALLOWED and restart drover.',
  ),
  LIMIT_TOO_HIGH: row(
    'rejected',
    'The document sets a value above the ceiling of the operator of drover.',
    'Lower the value, or raise the setting that the message names and restart drover.',
  ),
  APPLY_INCOMPLETE: row(
    'rejected',
    'Some of the documents were refused; the others are applied.',
    'Correct the documents that the lines above name, and apply them again.',
  ),
} as const satisfies Record<string, ErrorRow>;
