/** Live chunks of the log while the daemon runs. The client comes only with a BOT_NATS_URL, and trouble with it stops nothing. */
import { toDroverError } from '../../domain/errors.ts';

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
    const [{ createLivePublisher }, { followLog }] = await Promise.all([
      import('../logs/live.ts'),
      import('../logs/follow-log.ts'),
    ]);
    const publisher = createLivePublisher({ url, botId });
    const unfollow = followLog({ logsPath, onText: publisher.publish });
    return async () => {
      unfollow();
      await publisher.close().catch(() => undefined);
    };
  } catch (thrown) {
    process.stderr.write(`drover: no live logs: ${toDroverError(thrown).message}\n`);
    return () => Promise.resolve();
  }
};
