/** Is there a stream that keeps wishes, and may we use it? */
import { ErrorCode, NatsError, type NatsConnection } from 'nats';

/** Made by the API of the platform (contract §2), never by us. */
export const STREAM = 'THE0_EVENTS';
export const API_MS = 5_000;

export interface FoundStream {
  readonly name: string;
  /** Its birth: a stream of the same name that was made anew is another one. */
  readonly created: string;
  /** Number of its latest message. */
  readonly last: number;
}

export type Look =
  | { readonly kind: 'found'; readonly stream: FoundStream }
  /** It is not there, which is as it may be. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** It may be there, but we do not get at it. */
  | { readonly kind: 'refused'; readonly reason: string };

const STREAM_NOT_FOUND = 10_059;
const CONSUMER_NOT_FOUND = 10_014;
const NOT_ENABLED = new Set<number | undefined>([10_035, 10_039, 10_076]);

const apiCodeOf = (thrown: unknown): number | undefined =>
  thrown instanceof NatsError ? thrown.api_error?.err_code : undefined;

const hasNoJetStream = (thrown: unknown): boolean =>
  thrown instanceof NatsError &&
  (thrown.code === (ErrorCode.NoResponders as string) || NOT_ENABLED.has(apiCodeOf(thrown)));

/** Undefined for a consumer that is not there. */
export const orMissing = (thrown: unknown): undefined => {
  if (apiCodeOf(thrown) === CONSUMER_NOT_FOUND) return undefined;
  throw thrown;
};

/** Somebody changed it between two of our calls: stream gone; consumer gone, or made by another process. */
const RACES = new Set<number | undefined>([STREAM_NOT_FOUND, CONSUMER_NOT_FOUND, 10_013, 10_148]);

/** The user of this connection may not do it. */
export const isForbidden = (thrown: unknown): boolean => thrown instanceof NatsError && thrown.isPermissionError();

/** What the server refuses, in its words; undefined when something else went wrong, as a connection that broke. */
export const refusalOf = (thrown: unknown): string | undefined => {
  if (!(thrown instanceof NatsError)) return undefined;
  if (isForbidden(thrown)) return thrown.message;
  if (RACES.has(apiCodeOf(thrown))) return undefined;
  return thrown.api_error === undefined ? undefined : `JetStream: ${thrown.api_error.description}`;
};

/** @throws NatsError when the connection is gone */
export const findStream = async (connection: NatsConnection): Promise<Look> => {
  try {
    const jetstream = await connection.jetstreamManager({ checkAPI: false, timeout: API_MS });
    const { created, state } = await jetstream.streams.info(STREAM);
    return { kind: 'found', stream: { name: STREAM, created, last: state.last_seq } };
  } catch (thrown) {
    if (connection.isClosed()) throw thrown;
    if (apiCodeOf(thrown) === STREAM_NOT_FOUND) return { kind: 'absent', reason: `no stream ${STREAM}` };
    if (hasNoJetStream(thrown)) return { kind: 'absent', reason: 'JetStream is not enabled' };
    return { kind: 'refused', reason: refusalOf(thrown) ?? 'JetStream does not answer' };
  }
};
