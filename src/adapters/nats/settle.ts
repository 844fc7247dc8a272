/** Hands a batch over until it is stored: the same again and again, nothing later before it. */
import { toDroverError } from '../../domain/errors.ts';
import type { Logger } from '../../ports/logger.ts';
import type { BusMessage, WishConsumer } from '../../ports/message-bus.ts';
import { nextWait, pause } from '../common/pause.ts';

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;

/** False when it was aborted before that. */
export type Settle = (messages: readonly BusMessage[]) => Promise<boolean>;

export const createSettle =
  (consumer: WishConsumer, logger: Logger, signal: AbortSignal): Settle =>
  async (messages) => {
    let told: string | undefined;
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = nextWait(wait, MAX_WAIT_MS)) {
      try {
        await consumer.onMessages(messages);
        if (told !== undefined) logger.info('messages stored after a retry', { messages: messages.length });
        return true;
      } catch (thrown) {
        const { code, message } = toDroverError(thrown);
        if (told !== code) logger.warn('cannot store messages, retrying', { code, detail: message });
        told = code;
      }
      await pause(wait, signal);
    }
    return false;
  };
