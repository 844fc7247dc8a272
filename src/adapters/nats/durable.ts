/**
 * The durable consumer: the server's record of how far we have read. It is made anew, at the place it stood, whenever it
 * is not *clean* – something delivered that nobody acknowledged, or somebody who still asks. Waiting for the server's
 * redelivery instead (`ack_wait`) would lose messages: new ones are delivered meanwhile, and acknowledging one of them
 * acknowledges all before it, also those that only a dead process has heard.
 */
import { AckPolicy, DeliverPolicy, type ConsumerConfig, type ConsumerInfo, type JetStreamManager } from 'nats';
import { orMissing } from './find-stream.ts';
import { ANOTHER_READER, Interrupted } from './interrupted.ts';

export interface WantedDurable {
  readonly name: string;
  /** One: a server before 2.10 knows no more. The log subjects have a token more than the wishes and do not match. */
  readonly filter: string;
}

export interface OpenedDurable {
  readonly name: string;
  /** Everything up to here was settled. */
  readonly settled: number;
  /** The number that its next delivery will have. */
  readonly nextDelivery: number;
  /** @throws Interrupted when it is no longer this one: another process has made it anew, and the numbers mean others */
  assertSame(): Promise<void>;
}

const configAt = (name: string, filter: string, start: number): Partial<ConsumerConfig> => ({
  durable_name: name,
  description: 'drover: what of the stream is settled',
  filter_subject: filter,
  ack_policy: AckPolicy.All,
  max_ack_pending: -1,
  max_deliver: -1,
  ...(start <= 1
    ? { deliver_policy: DeliverPolicy.All }
    : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start }),
});

/** Before its first acknowledgement a consumer reports no floor, only where it was to start. */
const settledOf = ({ ack_floor, config }: ConsumerInfo): number =>
  Math.max(ack_floor.stream_seq, (config.opt_start_seq ?? 1) - 1);

const isClean = ({ num_ack_pending, num_waiting, config }: ConsumerInfo, filter: string): boolean =>
  num_ack_pending === 0 && num_waiting === 0 && config.ack_policy === AckPolicy.All && config.filter_subject === filter;

/** `startWhenNew`: number of the first message, asked for only when there is no record of how far we were. */
export const openDurable = async (
  jetstream: JetStreamManager,
  stream: string,
  { name, filter }: WantedDurable,
  startWhenNew: () => Promise<number>,
): Promise<OpenedDurable> => {
  const { consumers } = jetstream;
  // Nobody reads from the note. It only holds the place while the consumer itself is away, in case we die between.
  const note = `${name}-place`;
  const infoOf = (of: string): Promise<ConsumerInfo | undefined> => consumers.info(stream, of).catch(orMissing);
  const drop = (of: string): Promise<unknown> => consumers.delete(stream, of).catch(orMissing);
  const make = (of: string, start: number): Promise<ConsumerInfo> => consumers.add(stream, configAt(of, filter, start));
  const opened = (info: ConsumerInfo): OpenedDurable => ({
    name,
    settled: settledOf(info),
    nextDelivery: info.delivered.consumer_seq + 1,
    assertSame: async () => {
      const { created } = await consumers.info(stream, name);
      if (created !== info.created) throw new Interrupted(ANOTHER_READER);
    },
  });

  const makeAt = async (start: number): Promise<OpenedDurable> => {
    const made = await make(name, start);
    // Another process was faster and has read from it already: what it got would be acknowledged by us.
    if (made.delivered.consumer_seq > 0 || !isClean(made, filter)) throw new Interrupted(ANOTHER_READER);
    await drop(note);
    return opened(made);
  };

  // In this order: another process that is making it anew right now is never seen without both.
  const before = await infoOf(name);
  const noted = await infoOf(note);
  const present = before ?? (noted === undefined ? await infoOf(name) : undefined);
  if (present === undefined) return makeAt(noted === undefined ? await startWhenNew() : settledOf(noted) + 1);
  if (noted !== undefined) await drop(note);
  if (isClean(present, filter)) return opened(present);
  const start = settledOf(present) + 1;
  await make(note, start);
  await drop(name);
  return makeAt(start);
};
