/** Is there a stream that keeps wishes, and may we use it? */
import { ErrorCode, NatsError, type NatsConnection, type StreamConfig } from 'nats';

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
  /** It is there, but does not keep all that we read: what it leaves out can only be heard as it is sent. */
  | { readonly kind: 'partial'; readonly reason: string }
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

/** Does this pattern of a stream's subjects match? */
const matches = (pattern: string, subject: string): boolean => {
  const [wanted, tokens] = [pattern.split('.'), subject.split('.')];
  const rest = wanted.indexOf('>');
  const exact = rest < 0 ? wanted : wanted.slice(0, rest);
  const fits = exact.every((token, at) => token === '*' || token === tokens[at]);
  return fits && (rest < 0 ? tokens.length === wanted.length : tokens.length > rest);
};

/** Of these, what a stream does not keep. What comes into it from other streams is not known here: it may be all. */
export const leftOut = (
  { subjects, mirror, sources }: Partial<StreamConfig>,
  wanted: readonly string[],
): readonly string[] =>
  mirror !== undefined || (sources ?? []).length > 0
    ? []
    : wanted.filter((subject) => !(subjects ?? []).some((pattern) => matches(pattern, subject)));

/** @throws NatsError when the connection is gone */
export const findStream = async (connection: NatsConnection, subjects: readonly string[]): Promise<Look> => {
  try {
    const jetstream = await connection.jetstreamManager({ checkAPI: false, timeout: API_MS });
    const { created, state, config } = await jetstream.streams.info(STREAM);
    const missing = leftOut(config, subjects);
    if (missing.length > 0) return { kind: 'partial', reason: `stream ${STREAM} does not keep ${missing.join(', ')}` };
    return { kind: 'found', stream: { name: STREAM, created, last: state.last_seq } };
  } catch (thrown) {
    if (connection.isClosed()) throw thrown;
    if (apiCodeOf(thrown) === STREAM_NOT_FOUND) return { kind: 'absent', reason: `there is no stream ${STREAM}` };
    if (hasNoJetStream(thrown)) return { kind: 'absent', reason: 'JetStream is not enabled' };
    return { kind: 'refused', reason: refusalOf(thrown) ?? 'JetStream does not answer' };
  }
};
