/** The QueryServer's port. A controller whose port is taken keeps its bots all the same, and tries again. */
import type { Hono } from 'hono';
import { toDroverError } from '../domain/errors.ts';
import type { Logger } from '../ports/logger.ts';
import { serve, type Served } from './serve.ts';

export interface QueryPortOptions {
  readonly host: string;
  readonly port: number;
  /** Nothing else is served here: without the port there is no reason to go on. */
  readonly needed: boolean;
  readonly logger: Logger;
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
}

export interface QueryPort {
  /** Undefined while the port is taken. */
  url(): string | undefined;
  /** Replies that are under way go out first. */
  close(): Promise<void>;
}

const TRY_AGAIN_MS = 10_000;
const LAST_BYTES_MS = 1_000;

/** @throws DroverError CONFIG_INVALID for a port that is taken, where it is needed */
export const openQueryPort = async (app: Pick<Hono, 'fetch'>, options: QueryPortOptions): Promise<QueryPort> => {
  const { host, port, needed, logger, signal } = options;
  let served: Served | undefined;
  let timer: NodeJS.Timeout | undefined;
  const open = async (): Promise<void> => {
    served = await serve(app, { host, port, setting: 'QUERY_SERVER_PORT' });
  };
  const retry = (): void => {
    timer = setTimeout(() => {
      if (signal.aborted) return;
      open().then(() => {
        logger.info('query server listening', { url: served?.url });
      }, retry);
    }, TRY_AGAIN_MS);
    timer.unref();
  };
  try {
    await open();
  } catch (thrown) {
    if (needed) throw thrown;
    const remedy = 'free the port or set QUERY_SERVER_PORT; drover retries, and bots keep running';
    logger.error('query server cannot listen', { detail: toDroverError(thrown).message, remedy });
    retry();
  }
  return {
    url: () => served?.url,
    async close() {
      clearTimeout(timer);
      await served?.close(LAST_BYTES_MS);
    },
  };
};
