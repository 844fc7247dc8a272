/** What the server says of a message that a stream keeps: it stands in the subject that acknowledges it. */
import type { Msg } from 'nats';

export interface Delivery {
  /** Number in the stream. */
  readonly sequence: number;
  /** Number among all deliveries of this consumer, without a gap. */
  readonly delivery: number;
  /** When the stream took it, epoch ms. */
  readonly at: number;
  /** How many more wait behind it. */
  readonly pending: number;
}

const NANOS_PER_MS = 1_000_000;
/** `$JS.ACK.<stream>.<consumer>.<times>.<sequence>.<delivery>.<ns>.<pending>` */
const SHORT = 9;
/** The same with domain and account before the stream, and something random at the end. */
const LONG = 11;

/** Undefined for what is no message of a stream. */
export const readDelivery = ({ reply }: Msg): Delivery | undefined => {
  const tokens = (reply ?? '').split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  if (tokens.length !== SHORT && tokens.length < LONG) return undefined;
  const first = tokens.length === SHORT ? 5 : 7;
  const [sequence, delivery, nanos, pending] = tokens.slice(first, first + 4).map(Number);
  if (sequence === undefined || delivery === undefined || nanos === undefined || pending === undefined)
    return undefined;
  if (![sequence, delivery, nanos, pending].every(Number.isFinite)) return undefined;
  return { sequence, delivery, at: Math.floor(nanos / NANOS_PER_MS), pending };
};
