/** Ids of commands that runs are made of: they become part of names on the engine, of folders and of addresses. */
import { createHash } from 'node:crypto';

/** As long as a UUID; what else callers and proxies send may be a path, or too long for the name of a volume. */
const PLAIN = /^[A-Za-z0-9._-]{1,36}$/;

/** The caller's own id where it is plain, else 32 hex digits that stand for it: asked again, it is the same command. */
export const commandId = (requestId: string): string =>
  PLAIN.test(requestId) ? requestId : createHash('sha256').update(requestId).digest('hex').slice(0, 32);
