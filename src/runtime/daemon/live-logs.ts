/** Live chunks of the log while the daemon runs. The client comes only with a BOT_NATS_URL, and trouble with it stops nothing. */
import { toDroverError } from '../../domain/errors.ts';
import type * as Live from '../logs/live.ts';

/** A bundle beside this program in the image: who has no use for the client of the bus does not even read it. */
const ENTRY = '/app/live.cjs';

export interface LiveLogsOptions {
  /** Publish-only; undefined: no live chunks. */
  readonly url: string | undefined;
  readonly botId: string;
  readonly logsPath: string;
}

/** Returns how to end it: what is unfinished is published first. Never rejects. */
export const startLiveLogs = async ({ url, botId, logsPath }: LiveLogsOptions): Promise<() => Promise<void>> => {
  if (url === undefined || url === '') return () => Promise.resolve();
  try {
    const [loaded, { followLog }] = await Promise.all([
      import(ENTRY) as Promise<typeof Live & { readonly default?: typeof Live }>,
      import('../logs/follow-log.ts'),
    ]);
    const publisher = (loaded.default ?? loaded).createLivePublisher({ url, botId });
    const unfollow = followLog({ logsPath, onText: publisher.publish });
    return async () => {
      unfollow();
      await publisher.close().catch(() => undefined);
    };
  } catch (thrown) {
    process.stderr.write(`drover: live logs are not available: ${toDroverError(thrown).message}\n`);
    return () => Promise.resolve();
  }
};
