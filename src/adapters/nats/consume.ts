/** Reads wishes for as long as it is wanted: from the stream where there is one, else as they are sent; and looks anew after each break. */
import type { NatsConnection } from 'nats';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { BusStatus, WishConsumer } from '../../ports/message-bus.ts';
import type { Births } from './births.ts';
import { followCore } from './core-session.ts';
import { openDurable, type OpenedDurable } from './durable.ts';
import { API_MS, findStream, isForbidden, refusalOf, STREAM, type FoundStream } from './find-stream.ts';
import type { Link } from './link.ts';
import { nextWait, pause } from '../common/pause.ts';
import { createProgress, type Progress } from './progress.ts';
import { createSettle } from './settle.ts';
import { followStream } from './stream-session.ts';

export interface ConsumeOptions {
  readonly link: Link;
  /** Name of the durable consumer. */
  readonly durable: string;
  readonly births: Births;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'after'>;
  /** How messages come in from now on. */
  onMode(status: BusStatus): void;
}

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;
/** What went well for this long was no failed attempt. */
const GOOD_MS = 5_000;

const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

const positionOf = ({ name, created }: FoundStream): string => `${name}@${created}`;

interface Opened {
  readonly durable: OpenedDurable;
  readonly progress: Progress;
}

/** Why there is no reading from a stream now. */
interface Without {
  readonly reason: string;
  /** Somebody should know. */
  readonly refused: boolean;
}

/** Until `signal` aborts. Never rejects. */
export const consumeWishes = async (
  options: ConsumeOptions,
  consumer: WishConsumer,
  signal: AbortSignal,
): Promise<void> => {
  const { link, births, logger, clock, onMode } = options;
  const { reads } = consumer;
  const settle = createSettle(consumer, logger, signal);
  let progress: Progress | undefined;
  /** The connection whose user may make the consumer, but not read or acknowledge: rights change with a new one only. */
  let barred: { readonly connection: NatsConnection; readonly reason: string } | undefined;
  let told: string | undefined;

  const tell = (status: BusStatus, isTrouble = false): void => {
    onMode(status);
    const words = `${status.mode} ${status.detail}`;
    if (told !== words) logger[isTrouble ? 'warn' : 'info']('message source selected', { of: reads.of, ...status });
    told = words;
  };

  /** `heard`: everything up to the present came in as it was sent. */
  const startWhenNew = async (stream: FoundStream, heard: boolean, isNewborn: boolean): Promise<number> => {
    const next = stream.last + 1;
    if (progress?.stream === positionOf(stream)) return progress.settled() + 1;
    if (heard) return next;
    if (isNewborn || !(await consumer.startsAtNow())) return 1;
    logger.info('consuming the stream', {
      stream: stream.name,
      consumer: options.durable,
      reason: `the consumer is new and the store already holds ${reads.of}: older messages are skipped, because they may be out of date`,
      remedy:
        'to read older messages, stop drover, recreate the consumer with the deliver policy "all", and start drover',
    });
    return next;
  };

  /** @throws what `startsAtNow` throws, NatsError when the connection is gone */
  const open = async (connection: NatsConnection, heard: boolean): Promise<Opened | Without> => {
    if (barred?.connection === connection) return { reason: barred.reason, refused: true };
    const look = await findStream(connection, reads.subjects);
    if (look.kind === 'absent') births.absent();
    if (look.kind !== 'found') return { reason: look.reason, refused: look.kind === 'refused' };
    const { stream } = look;
    const position = positionOf(stream);
    const isNewborn = births.found(stream.created);
    try {
      const jetstream = await connection.jetstreamManager({ checkAPI: false, timeout: API_MS });
      const wanted = { name: options.durable, filter: reads.filter };
      const durable = await openDurable(jetstream, stream.name, wanted, () => startWhenNew(stream, heard, isNewborn));
      if (progress !== undefined && progress.stream !== position)
        logger.warn('the stream was recreated', { stream: position, before: progress.stream });
      if (progress?.stream !== position) progress = createProgress(position, durable.settled);
      progress.settle(durable.settled);
      return { durable, progress };
    } catch (thrown) {
      const reason = connection.isClosed() ? undefined : refusalOf(thrown);
      if (reason === undefined) throw thrown;
      return { reason, refused: true };
    }
  };

  const readStream = (connection: NatsConnection, { durable, progress: of }: Opened): Promise<void> => {
    tell({ mode: 'stream', detail: `stream ${STREAM}, consumer ${durable.name}` });
    return followStream({ connection, stream: STREAM, durable, reads, progress: of, settle, signal });
  };

  /** What to read from the stream once it is there. */
  const readCore = async (connection: NatsConnection, without: Without): Promise<Opened | undefined> => {
    // From the first look on that finds no stream while we already listen.
    let heard = false;
    let isDeaf = false;
    let opened: Opened | undefined;
    const tellWhy = ({ reason, refused }: Without): void => {
      if (!isDeaf) tell({ mode: 'core', detail: `messages without a stream: ${reason}` }, refused);
    };
    tellWhy(without);
    const onRefused = (reason: string): void => {
      isDeaf = true;
      tell({ mode: 'off', detail: reason }, true);
    };
    const hasStream = async (): Promise<boolean> => {
      try {
        const found = await open(connection, heard);
        if ('durable' in found) opened = found;
        else {
          heard = !found.refused && !isDeaf;
          tellWhy(found);
        }
      } catch (thrown) {
        logger.debug('stream status', { detail: wordsOf(thrown) });
      }
      return opened !== undefined;
    };
    return (await followCore({ connection, reads, settle, logger, clock, signal, hasStream, onRefused }))
      ? opened
      : undefined;
  };

  const read = async (connection: NatsConnection): Promise<void> => {
    const found = await open(connection, false);
    const opened = 'durable' in found ? found : await readCore(connection, found);
    if (opened !== undefined) await readStream(connection, opened);
  };

  let wait = FIRST_WAIT_MS;
  let interrupted: string | undefined;
  while (!signal.aborted) {
    const connection = await link.next(signal);
    if (connection === undefined) break;
    const began = performance.now();
    try {
      await read(connection);
    } catch (thrown) {
      if (isForbidden(thrown)) barred = { connection, reason: wordsOf(thrown) };
      const reason = wordsOf(thrown);
      if (!connection.isClosed() && interrupted !== reason)
        logger.info('consuming messages again', { of: reads.of, reason });
      interrupted = reason;
    }
    onMode({ mode: 'off', detail: 'no messages are read' });
    const wentWell = performance.now() - began > GOOD_MS;
    wait = wentWell ? FIRST_WAIT_MS : nextWait(wait, MAX_WAIT_MS);
    if (wentWell) interrupted = undefined;
    await pause(wait, signal);
  }
};
