/** The exit report that `runtime execute` leaves, read through the archive API of a stopped container. */
import type Docker from 'dockerode';
import { extract } from 'tar-stream';
import { z } from 'zod';
import { DELIVERY } from '../../domain/delivery.ts';
import { isErrorCode, type ErrorCode } from '../../domain/errors.ts';
import type { ExitReport } from '../../domain/observation.ts';

const MAX_BYTES = 64 * 1024;

const shape = z.object({
  attempt: z.int(),
  phase: z.enum(['config', 'code', 'state', 'bot', 'sync']),
  code: z.int().optional(),
  signal: z.string().max(20).optional(),
  received: z.string().max(20).optional(),
  oomKills: z.object({ before: z.int(), after: z.int() }).optional(),
  error: z
    .object({ code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)), detail: z.string() })
    .optional(),
});

const firstFile = (archive: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve, reject) => {
    const tar = extract();
    tar.on('entry', (_header, stream, next) => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk) => {
        const bytes = chunk as Buffer;
        size += bytes.length;
        if (size <= MAX_BYTES) chunks.push(bytes);
      });
      stream.on('end', () => {
        resolve(size <= MAX_BYTES ? Buffer.concat(chunks).toString('utf8') : '');
        next();
      });
    });
    tar.on('error', reject);
    tar.on('finish', () => {
      resolve('');
    });
    archive.on('error', reject);
    archive.pipe(tar);
  });

/** Undefined when there is none, when it cannot be read, or when it is of another attempt. Never throws. */
export const readExitReport = async (container: Docker.Container, attempt: number): Promise<ExitReport | undefined> => {
  try {
    const text = await firstFile(await container.getArchive({ path: DELIVERY.exitReport }));
    const parsed = shape.safeParse(JSON.parse(text));
    if (!parsed.success || parsed.data.attempt !== attempt) return undefined;
    // Absent members must be absent, not undefined: that is what the type promises.
    return JSON.parse(JSON.stringify(parsed.data)) as ExitReport;
  } catch {
    return undefined;
  }
};
