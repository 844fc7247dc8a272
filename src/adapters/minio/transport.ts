/** HTTP the way the minio package asks for it, with a deadline for each step and with the server's own words kept. */
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { ClientOptions } from 'minio';
import { readRefusal } from './refusal.ts';

type Transport = NonNullable<ClientOptions['transport']>;

/** Longest silence until the answer begins: connecting, shaking hands and waiting alike. Callers are promised 10 s. */
const ANSWER_MS = 8_000;

/** Bodies longer than this wait for the server's word. */
const SHORT = 64 * 1_024;
/** A server that does not know the question gets the body all the same. */
const CONTINUE_MS = 1_000;

/** Whoever asked for the upload has given it up by then, and could not tell the server so any more. */
const LONGEST_MS = 150_000;

export class NoAnswer extends Error {
  constructor() {
    super(`no answer within ${String(ANSWER_MS / 1_000)} s`);
  }
}

const watch = (asked: ClientRequest): void => {
  // From the first moment on: the request's own timeout would only begin once it is connected.
  asked.once('socket', (socket) => {
    socket.setTimeout(ANSWER_MS);
    socket.once('timeout', () => asked.destroy(new NoAnswer()));
  });
};

/**
 * Asks before a long body is sent: a server that refuses hangs up without reading it, and what it said is then lost in
 * the broken connection.
 */
const sendWhenWelcome = (asked: ClientRequest, slowest: number | undefined): void => {
  const end = asked.end.bind(asked) as (body?: unknown) => ClientRequest;
  const endLater = (body?: unknown): ClientRequest => {
    if (!Buffer.isBuffer(body) || body.length <= SHORT || !asked.hasHeader('content-length')) return end(body);
    asked.setHeader('Expect', '100-continue');
    asked.flushHeaders();
    const send = (): void => {
      clearTimeout(timer);
      asked.off('continue', welcome);
      if (!asked.destroyed && !asked.writableEnded) end(body);
    };
    const welcome = (): void => {
      // It is alive. The system may take the whole body at once: what then looks like silence is a slow way to the server.
      if (slowest !== undefined) {
        asked.socket?.setTimeout(Math.min(ANSWER_MS + (body.length / slowest) * 1_000, LONGEST_MS));
      }
      send();
    };
    const timer = setTimeout(send, CONTINUE_MS);
    asked.once('continue', welcome);
    asked.once('response', () => {
      clearTimeout(timer);
    });
    asked.once('close', () => {
      clearTimeout(timer);
    });
    return asked;
  };
  asked.end = endLater as ClientRequest['end'];
};

/** Nothing more is said or heard after a refusal. */
const refuse = async (asked: ClientRequest, answer: IncomingMessage): Promise<void> => {
  const refusal = await readRefusal(answer);
  asked.emit('error', refusal);
  asked.destroy();
};

/** `slowest`: bytes a second; a body that goes out no slower is not given up. Without it there are 8 s for what the system buffers. */
export const createTransport = (useSsl: boolean, slowest?: number): Transport => {
  const ask = (options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest => {
    const asked = (useSsl ? https : http).request(options, (answer) => {
      if ((answer.statusCode ?? 0) < 400) onAnswer(answer);
      else void refuse(asked, answer);
    });
    watch(asked);
    sendWhenWelcome(asked, slowest);
    return asked;
  };
  return { request: ask as Transport['request'] };
};
