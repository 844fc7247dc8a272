/** The part of the table of errors that requests and logs of bots and schedules have. */
import { row, type ErrorRow } from './error-row.ts';

export const MACHINE_ERRORS = {
  REQUESTS_PENDING: row(
    'rejected',
    'Too many requests for this bot or schedule wait until drover takes them.',
    'Wait until drover has taken them, and try again. If they stay, see `drover describe` and the log of drover.',
  ),
} as const satisfies Record<string, ErrorRow>;
