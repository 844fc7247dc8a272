/** Live chunks of the bot's output, where BOT_NATS_URL asks for them. A bundle of its own brings the client (contract §2). */
import { followLog } from '../logs/follow-log.ts';
import type * as Live from '../logs/live.ts';

/** Beside this program in the image. */
const ENTRY = '/app/live.cjs';

export interface LiveOptions {
  readonly url: string;
  readonly botId: string;
  readonly logsPath: string;
}

/** Resolves with how to end it. Never rejects: live output is a courtesy, the stored log has everything. */
export const startLiveLogs = async ({ url, botId, logsPath }: LiveOptions): Promise<() => Promise<void>> => {
  try {
    const loaded = (await import(ENTRY)) as typeof Live & { readonly default?: typeof Live };
    const publisher = (loaded.default ?? loaded).createLivePublisher({ url, botId });
    const stop = followLog({
      logsPath,
      onText: (text) => {
        publisher.publish(text);
      },
    });
    return async () => {
      stop();
      await publisher.close();
    };
  } catch (error) {
    process.stderr.write(`drover: no live output: ${error instanceof Error ? error.message : String(error)}\n`);
    return () => Promise.resolve();
  }
};
