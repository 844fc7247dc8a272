/** The message bus over a NATS server, which may come late, go away and come back: nothing here ever waits for it to start. */
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { MessageBus } from '../../ports/message-bus.ts';
import { createBirths } from './births.ts';
import { consumeWishes } from './consume.ts';
import { createLink } from './link.ts';
import { createPublish } from './publish.ts';
import { notReading, overAll, type Reading } from './reading-status.ts';
import { parseServers } from './server-list.ts';

export interface NatsBusOptions {
  /** `nats://[user:password@]host[:port]` or `tls://…`, several with commas. */
  readonly url: string;
  /** Install id: names the durable consumers, so that two installs on one server read independently. */
  readonly install: string;
  readonly logger: Logger;
  /** Says when to look again whether there is a stream. */
  readonly clock: Pick<Clock, 'after'>;
}

/** Connects in the background, for ever. @throws DroverError CONFIG_INVALID for a URL that is none */
export const createNatsBus = ({ url, install, logger, clock }: NatsBusOptions): MessageBus => {
  const name = `drover-${install}`;
  const link = createLink(parseServers(url), name, logger);
  const births = createBirths();
  const send = createPublish();
  const closing = new AbortController();
  const readings = new Map<symbol, Reading>();
  return {
    consume: async (consumer, signal) => {
      const until = AbortSignal.any([signal, closing.signal]);
      const { of } = consumer.reads;
      // That of bots has the name it had when there was no other: the server's record of how far we are hangs on it.
      const durable = of === 'bots' ? name : `${name}-${of}`;
      const key = Symbol(of);
      const onMode = (status: Reading['status']): void => {
        readings.set(key, { of, status });
      };
      onMode(notReading);
      await consumeWishes({ link, durable, births, logger, clock, onMode }, consumer, until);
      readings.delete(key);
    },
    publish: (subject, payload) => {
      send(link.current(), subject, payload);
    },
    status: () => {
      if (link.current() === undefined) return { mode: 'off', detail: link.describe() };
      const { mode, detail } = overAll([...readings.values()]);
      return { mode, detail: `${link.describe()}, ${detail}` };
    },
    close: async () => {
      closing.abort();
      await link.close();
    },
  };
};
