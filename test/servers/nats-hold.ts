/** Reads the stream and never settles what it has got, until somebody kills it. */
import { createNatsBus } from '../../src/adapters/nats/nats-bus.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { BOT_WISHES } from '../../src/ports/message-bus.ts';
import { silentLogger } from '../support/silent-logger.ts';

const bus = createNatsBus({ url: process.argv[2] ?? '', install: 'i1', logger: silentLogger, clock: systemClock });
await bus.consume(
  {
    reads: BOT_WISHES,
    startsAtNow: () => Promise.resolve(false),
    onMessages: (messages) => {
      process.stdout.write(`${messages.map(({ data }) => Buffer.from(data).toString()).join(' ')}\n`);
      return new Promise(() => setInterval(() => undefined, 60_000));
    },
  },
  new AbortController().signal,
);
