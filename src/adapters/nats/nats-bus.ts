/** The message bus over a NATS server, which may come late, go away and come back: nothing here ever waits for it to start. */
import type { Logger } from '../../ports/logger.ts';
import type { BusStatus, MessageBus } from '../../ports/message-bus.ts';
import { createBirths } from './births.ts';
import { consumeWishes } from './consume.ts';
import { createLink } from './link.ts';
import { createPublish } from './publish.ts';
import { parseServers } from './server-list.ts';

export interface NatsBusOptions {
  /** `nats://[user:password@]host[:port]` or `tls://…`, several with commas. */
  readonly url: string;
  /** Install id: names the durable consumer, so that two installs on one server read independently. */
  readonly install: string;
  readonly logger: Logger;
}

const IDLE: BusStatus = { mode: 'off', detail: 'not reading' };

/** Connects in the background, for ever. @throws DroverError CONFIG_INVALID for a URL that is none */
export const createNatsBus = ({ url, install, logger }: NatsBusOptions): MessageBus => {
  const name = `drover-${install}`;
  const link = createLink(parseServers(url), name, logger);
  const births = createBirths();
  const send = createPublish();
  const closing = new AbortController();
  let reading = IDLE;
  return {
    consume: async (consumer, signal) => {
      const until = AbortSignal.any([signal, closing.signal]);
      const onMode = (status: BusStatus): void => {
        reading = status;
      };
      await consumeWishes({ link, durable: name, births, logger, onMode }, consumer, until);
      reading = IDLE;
    },
    publish: (subject, payload) => {
      send(link.current(), subject, payload);
    },
    status: () => {
      if (link.current() === undefined) return { mode: 'off', detail: link.describe() };
      return { mode: reading.mode, detail: `${link.describe()}, ${reading.detail}` };
    },
    close: async () => {
      closing.abort();
      await link.close();
    },
  };
};
