/**
 * Live chunks of the log on `the0.bot.logs.<id>` (contract §2), for readers of the reference's API. Only where a publish-only
 * BOT_NATS_URL is set. It runs in `daemon sync`: the daemon is there anyway, so this costs the client's memory alone and no
 * process more, and a client in trouble is in nobody's way: neither the bot nor `execute`, which carries the bot's output.
 */
import { createLogPublisher } from '../../adapters/nats/log-publisher.ts';
import { characterEnd } from './character-end.ts';

export interface LivePublisher {
  /** Cut at newlines into chunks that the server takes. Dropped when the server is away or slow. Never throws. */
  publish(text: Buffer | string): void;
  close(): Promise<void>;
}

const NEWLINE = 10;

/** As the reference writes an id into a subject. */
export const logSubject = (botId: string): string =>
  `the0.bot.logs.${botId === '' ? 'unknown' : botId.replace(/[^A-Za-z0-9_-]/gu, '_')}`;

/** Pieces of at most `room` bytes, each up to a newline, but for a line that is longer. */
export function* chunksOf(bytes: Buffer, room: number): Generator<Buffer> {
  let rest = bytes;
  while (rest.length > room) {
    const lines = rest.lastIndexOf(NEWLINE, room - 1) + 1;
    const cut = lines > 0 ? lines : Math.max(1, characterEnd(rest, room));
    yield rest.subarray(0, cut);
    rest = rest.subarray(cut);
  }
  if (rest.length > 0) yield rest;
}

/** Import this module only when it is wanted: it brings the client. @throws DroverError CONFIG_INVALID for a URL that is none */
export const createLivePublisher = ({
  url,
  botId,
}: {
  readonly url: string;
  readonly botId: string;
}): LivePublisher => {
  const publisher = createLogPublisher(url, logSubject(botId));
  return {
    publish: (text) => {
      const bytes = typeof text === 'string' ? Buffer.from(text) : text;
      // Readers are promised UTF-8.
      const valid = Buffer.from(bytes.toString('utf8'));
      for (const chunk of chunksOf(valid, publisher.room())) publisher.publish(chunk);
    },
    close: publisher.close,
  };
};
