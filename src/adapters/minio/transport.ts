/** HTTP the way the minio package asks for it, with a deadline for each step and with the server's own words kept. */
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { ClientOptions } from 'minio';
import { readRefusal } from './refusal.ts';

type Transport = NonNullable<ClientOptions['transport']>;

/** Longest silence until the answer begins: connecting, shaking hands and waiting alike. Callers are promised 10 s. */
const ANSWER_MS = 8_000;

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

export const createTransport = (useSsl: boolean): Transport => {
  const ask = (options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest => {
    const asked = (useSsl ? https : http).request(options, (answer) => {
      if ((answer.statusCode ?? 0) < 400) onAnswer(answer);
      else void readRefusal(answer).then((refusal) => asked.emit('error', refusal));
    });
    watch(asked);
    return asked;
  };
  return { request: ask as Transport['request'] };
};
