/** Reads the stream through the durable consumer, batch after batch, until aborted or interrupted. */
import type { Msg, NatsConnection } from 'nats';
import type { BusMessage, WishChannel } from '../../ports/message-bus.ts';
import { readDelivery, type Delivery } from './delivery.ts';
import type { OpenedDurable } from './durable.ts';
import { API_MS } from './find-stream.ts';
import { ANOTHER_READER, Interrupted } from './interrupted.ts';
import type { Progress } from './progress.ts';
import { pull } from './pull.ts';
import type { Settle } from './settle.ts';

const MAX_MESSAGES = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Messages of one request: bounds how far a batch can go beyond its size. */
const CHUNK = 64;

/** In less time nobody takes over. */
const LONG_MS = 1_000;

export interface StreamSession {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly durable: OpenedDurable;
  readonly reads: WishChannel;
  readonly progress: Progress;
  readonly settle: Settle;
  readonly signal: AbortSignal;
}

interface Delivered extends Delivery {
  readonly message: Msg;
}

/** Which deliveries are ours, in order. A gap is one that somebody else got: acknowledging beyond it would lose it. */
const createReader = (nextDelivery: number) => {
  let next = nextDelivery;
  return (message: Msg): Delivered => {
    const delivery = readDelivery(message);
    if (delivery?.delivery !== next) throw new Interrupted(ANOTHER_READER);
    next += 1;
    return { ...delivery, message };
  };
};

/** @throws Interrupted, NatsError */
export const followStream = async (session: StreamSession): Promise<void> => {
  const { connection, stream, durable, progress, settle, signal } = session;
  const wishes = new Set(session.reads.subjects);
  const read = createReader(durable.nextDelivery);

  const take = async (count: number, wait: boolean): Promise<readonly Delivered[] | undefined> => {
    const messages = await pull(connection, { stream, consumer: durable.name, count, wait }, signal);
    return messages?.map(read);
  };

  /** All that waits, up to a bound; undefined when aborted. */
  const takeBatch = async (): Promise<readonly Delivered[] | undefined> => {
    const batch: Delivered[] = [];
    let bytes = 0;
    for (;;) {
      const pending = batch.at(-1)?.pending ?? 1;
      if (pending === 0 || batch.length >= MAX_MESSAGES || bytes >= MAX_BYTES) return batch;
      const wait = batch.length === 0;
      const more = await take(wait ? 1 : Math.min(CHUNK, pending, MAX_MESSAGES - batch.length), wait);
      if (more === undefined) return undefined;
      // What was pending has left the stream meanwhile; or nothing came for a while.
      if (more.length === 0) return batch;
      batch.push(...more);
      for (const { message } of more) bytes += message.data.length;
    }
  };

  const toBusMessage = ({ message, sequence, at }: Delivered): BusMessage => ({
    subject: message.subject,
    data: message.data,
    position: { stream: progress.stream, sequence },
    at,
  });

  for (;;) {
    const batch = await takeBatch();
    if (batch === undefined) return;
    const last = batch.at(-1);
    if (last === undefined) continue;
    // What was settled before the connection broke comes once more when the server has not heard of it.
    const fresh = batch.filter(({ sequence, message }) => sequence > progress.settled() && wishes.has(message.subject));
    await durable.assertSame();
    const began = performance.now();
    if (fresh.length > 0 && !(await settle(fresh.map(toBusMessage)))) return;
    progress.settle(last.sequence);
    // An acknowledgement with a number of the former consumer would spoil the count of the one that took its place.
    if (performance.now() - began > LONG_MS) await durable.assertSame();
    // Nothing is asked for before the server has confirmed: so it never redelivers what is settled, nor out of order.
    await connection.request(last.message.reply ?? '', '+ACK', { timeout: API_MS });
  }
};
