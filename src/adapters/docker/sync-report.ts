/** What the runtime inside a container says of state and logs, read through the archive API. */
import type Docker from 'dockerode';
import { z } from 'zod';
import { DELIVERY } from '../../domain/delivery.ts';
import { isErrorCode, type ErrorCode } from '../../domain/errors.ts';
import type { SyncReport } from '../../domain/sync-report.ts';
import { readSmallFile } from './small-file.ts';

const snapshot = z.object({ attempt: z.int().min(0), sequence: z.int().min(0) });
const error = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)),
  detail: z.string().transform((detail) => detail.slice(0, 1_000)),
});

/** The file lies where the bot can write too: only this shape is taken from it, and it decides about no exit. */
const shape = z.object({
  attempt: z.int(),
  writtenAt: z.number(),
  code: z
    .object({
      skipped: z.int().min(1),
      entries: z.array(z.string().transform((entry) => entry.slice(0, 300))).max(10),
    })
    .optional(),
  restored: z
    .object({
      source: z.enum(['volume', 'snapshot', 'archive', 'chosen', 'none']),
      snapshot: snapshot.optional(),
      editedOutside: z.literal(true).optional(),
      former: snapshot.optional(),
      storeReachable: z.boolean(),
    })
    .optional(),
  state: z.object({
    status: z.enum(['synced', 'pending', 'failing', 'unknown']),
    snapshot: snapshot.optional(),
    at: z.number().optional(),
    error: error.optional(),
    overLimit: z
      .array(z.object({ path: z.string().transform((path) => path.slice(0, 300)), bytes: z.number() }))
      .max(10)
      .optional(),
    editedOutside: z.literal(true).optional(),
  }),
  logs: z.object({
    status: z.enum(['shipped', 'pending', 'failing', 'unknown']),
    droppedBytes: z.number().min(0),
    error: error.optional(),
  }),
  final: z.object({ stateSynced: z.boolean(), logsShipped: z.boolean() }).optional(),
  diskFree: z.number().min(0).max(1).optional(),
});

/** The report in a text, or undefined when it is none of this attempt. Exported for tests. */
export const parseSyncReport = (text: string, attempt: number): SyncReport | undefined => {
  try {
    const parsed = shape.safeParse(JSON.parse(text));
    if (!parsed.success || parsed.data.attempt !== attempt) return undefined;
    // Absent members must be absent, not undefined: that is what the type promises.
    return JSON.parse(JSON.stringify(parsed.data)) as SyncReport;
  } catch {
    return undefined;
  }
};

export interface SeenReport {
  /** Undefined where there is none of this attempt that can be read. */
  readonly report: SyncReport | undefined;
  /** How long no new report was seen, ms by a clock that nobody sets; 0 at the first look. */
  readonly silentMs: number;
}

/** Never throws. A container that ended is read anew; one that lives at most every half second. */
export type SyncReportReader = (id: string, attempt: number, ended: boolean) => Promise<SeenReport>;

interface Known {
  readonly readAt: number;
  readonly report: SyncReport | undefined;
  /** Of the last report that could be read, and when it was seen first. */
  readonly writtenAt: number | undefined;
  readonly newAt: number;
}

const FRESH_MS = 500;
const REMEMBERED = 5_000;

/** `now`: monotonic milliseconds. A host that slept does not make a report old, and the clock in the container is not asked. */
export const createSyncReportReader = (docker: Docker, now = (): number => performance.now()): SyncReportReader => {
  const last = new Map<string, Known>();
  return async (id, attempt, ended) => {
    const known = last.get(id);
    if (!ended && known !== undefined && now() - known.readAt < FRESH_MS) {
      return { report: known.report, silentMs: now() - known.newAt };
    }
    const report = await readSmallFile(docker.getContainer(id), DELIVERY.syncReport).then(
      (text) => parseSyncReport(text, attempt),
      () => undefined,
    );
    if (last.size > REMEMBERED) last.clear();
    const readAt = now();
    const isNew = known === undefined || (report !== undefined && report.writtenAt !== known.writtenAt);
    const newAt = isNew ? readAt : known.newAt;
    last.set(id, { readAt, report, writtenAt: report?.writtenAt ?? known?.writtenAt, newAt });
    return { report, silentMs: readAt - newAt };
  };
};
