/** The exit report that `runtime execute` leaves, read through the archive API of a stopped container. */
import type Docker from 'dockerode';
import { z } from 'zod';
import { DELIVERY } from '../../domain/delivery.ts';
import { isErrorCode, type ErrorCode } from '../../domain/errors.ts';
import type { ExitReport } from '../../domain/observation.ts';
import { readSmallFile } from './small-file.ts';

const shape = z.object({
  attempt: z.int(),
  phase: z.enum(['config', 'code', 'state', 'bot', 'sync']),
  code: z.int().optional(),
  signal: z.string().max(20).optional(),
  received: z.string().max(20).optional(),
  oomKills: z.object({ before: z.int(), after: z.int() }).optional(),
  final: z.object({ stateSynced: z.boolean(), logsShipped: z.boolean() }).optional(),
  hook: z
    .object({ code: z.int().optional(), signal: z.string().max(20).optional(), timedOut: z.literal(true).optional() })
    .optional(),
  error: z
    .object({ code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)), detail: z.string() })
    .optional(),
});

/** Undefined when there is none, when it cannot be read, or when it is of another attempt. Never throws. */
export const readExitReport = async (container: Docker.Container, attempt: number): Promise<ExitReport | undefined> => {
  try {
    const text = await readSmallFile(container, DELIVERY.exitReport);
    const parsed = shape.safeParse(JSON.parse(text));
    if (!parsed.success || parsed.data.attempt !== attempt) return undefined;
    // Absent members must be absent, not undefined: that is what the type promises.
    return JSON.parse(JSON.stringify(parsed.data)) as ExitReport;
  } catch {
    return undefined;
  }
};
