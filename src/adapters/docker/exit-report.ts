/** The exit report that `runtime execute` leaves, read through the archive API of a stopped container. */
import type Docker from 'dockerode';
import { z } from 'zod';
import { DELIVERY } from '../../domain/delivery.ts';
import { isErrorCode, type ErrorCode } from '../../domain/errors.ts';
import type { ExitReport } from '../../domain/observation.ts';
import { printable } from '../../domain/printable.ts';
import type { SyncReport } from '../../domain/sync-report.ts';
import { readSmallFile } from './small-file.ts';
import { parseSyncReport } from './sync-report.ts';

const MOST_MESSAGE = 500;

const shape = z.object({
  attempt: z.int(),
  phase: z.enum(['config', 'code', 'state', 'bot', 'sync']),
  code: z.int().optional(),
  // The bot can write there too: what it says is one line, and not a long one.
  message: z
    .string()
    .transform((text) => printable(text).slice(0, MOST_MESSAGE))
    .optional(),
  signal: z.string().max(20).optional(),
  received: z.string().max(20).optional(),
  oomKills: z.object({ before: z.int(), after: z.int() }).optional(),
  final: z.object({ stateSynced: z.boolean(), logsShipped: z.boolean() }).optional(),
  hook: z
    .object({ code: z.int().optional(), signal: z.string().max(20).optional(), timedOut: z.literal(true).optional() })
    .optional(),
  sync: z.unknown().optional(),
  error: z
    .object({ code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)), detail: z.string() })
    .optional(),
});

export interface LastReports {
  /** Undefined when there is none, when it cannot be read, or when it is of another attempt. */
  readonly exit?: ExitReport;
  /** What the daemon said last, when PID 1 came to tell it. */
  readonly sync?: SyncReport;
}

/** Never throws. */
export const readLastReports = async (container: Docker.Container, attempt: number): Promise<LastReports> => {
  try {
    const text = await readSmallFile(container, DELIVERY.exitReport);
    const parsed = shape.safeParse(JSON.parse(text));
    if (!parsed.success || parsed.data.attempt !== attempt) return {};
    const { sync: told, ...exit } = parsed.data;
    const sync = told === undefined ? undefined : parseSyncReport(JSON.stringify(told), attempt);
    // Absent members must be absent, not undefined: that is what the type promises.
    return { exit: JSON.parse(JSON.stringify(exit)) as ExitReport, ...(sync === undefined ? {} : { sync }) };
  } catch {
    return {};
  }
};
