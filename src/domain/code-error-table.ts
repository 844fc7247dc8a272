/** The part of the table of errors that packing and unpacking code have. */
import { row, type ErrorRow } from './error-row.ts';

export const CODE_ERRORS = {
  CODE_NOT_PACKABLE: row(
    'rejected',
    'The folder of the bot holds something that cannot be packed, such as a link that leads out of the folder.',
    'Copy the file into the folder, rename it, or list its name in `.the0ignore`, and apply the bot again.',
  ),
  CODE_TOO_LARGE: row(
    'rejected',
    'The code of the bot is larger than drover accepts.',
    'List what the bot does not need in `.the0ignore`, or let the bot download large data into `/state`.',
  ),
} as const satisfies Record<string, ErrorRow>;
