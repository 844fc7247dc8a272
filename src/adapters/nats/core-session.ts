/** Without a stream: messages as they are sent, in order of arrival. What is sent while nobody listens is gone. */
import type { NatsConnection } from 'nats';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { WishChannel } from '../../ports/message-bus.ts';
import { createWakeSignal } from '../common/wake-signal.ts';
import { createCoreQueue } from './core-queue.ts';
import type { Settle } from './settle.ts';

export interface CoreSession {
  readonly connection: NatsConnection;
  readonly reads: WishChannel;
  readonly settle: Settle;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'after'>;
  readonly signal: AbortSignal;
  /** Asked now and then whether a stream keeps from now on what is sent. Never rejects. */
  hasStream(): Promise<boolean>;
  /** Subscribing was refused. */
  onRefused(reason: string): void;
}

export const LOOK_MS = 5_000;

/** The server has done all we asked so far, or is gone: the driver forgets whom it owed an answer when it closes. */
const answered = (connection: NatsConnection): Promise<unknown> =>
  Promise.race([connection.flush(), connection.closed()]).catch(() => undefined);

/** True when the stream has taken over, false when aborted, or the connection is gone; all that was heard is settled then. */
export const followCore = async (session: CoreSession): Promise<boolean> => {
  const { connection, settle, logger, clock, signal } = session;
  const queue = createCoreQueue();
  const wake = createWakeSignal();
  const subscriptions = session.reads.subjects.map((subject) =>
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) {
          session.onRefused(error.message);
          return;
        }
        // A copy: the driver's view keeps alive all that came in the same packet.
        queue.push({ subject: message.subject, data: message.data.slice(), at: Date.now() });
        wake.ring();
      },
    }),
  );
  const unsubscribe = (): void => {
    for (const subscription of subscriptions.splice(0)) subscription.unsubscribe();
  };
  void connection.closed().then(wake.ring);
  // At once, too: a stream may have come into being before we listened.
  let due = true;
  // Read through a function: it changes while something is awaited.
  const isDue = (): boolean => due;
  let forget = (): void => undefined;
  const arm = (): void => {
    forget = clock.after(LOOK_MS, () => {
      due = true;
      wake.ring();
      arm();
    });
  };
  arm();

  /** False when aborted. */
  const settleHeard = async (): Promise<boolean> => {
    for (;;) {
      const batch = queue.take();
      const dropped = queue.dropped();
      if (dropped > 0) logger.error('messages dropped, more arrived than could be stored', { dropped });
      if (batch.length === 0) return true;
      if (!(await settle(batch))) return false;
    }
  };

  try {
    await answered(connection);
    for (;;) {
      const seen = wake.count();
      if (!(await settleHeard()) || signal.aborted || connection.isClosed()) return false;
      if (!isDue()) {
        await wake.wait(seen, signal);
        continue;
      }
      due = false;
      if (!(await session.hasStream())) continue;
      // The stream has what comes from now on; what the server sent us before that is heard once it answers this.
      await answered(connection);
      unsubscribe();
      return await settleHeard();
    }
  } finally {
    forget();
    unsubscribe();
  }
};
