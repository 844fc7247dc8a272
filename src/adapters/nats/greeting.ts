/**
 * What a server says before anything is said to it. Asked on a socket of our own before the driver connects: the driver
 * never closes the socket of a server that accepts and then stays silent (a frozen one, packets dropped), one for each try.
 */
import { connect } from 'node:net';
import { isObject } from '../../domain/json.ts';
import type { NatsServer } from './server-list.ts';

export interface Greeting {
  readonly demandsTls: boolean;
  readonly offersTls: boolean;
}

const MAX_BYTES = 64 * 1024;

/** Undefined until a whole line has come. */
const parseGreeting = (text: string): Greeting | undefined => {
  const end = text.indexOf('\r\n');
  if (end < 0 && text.length < MAX_BYTES) return undefined;
  if (!text.startsWith('INFO ') || end < 0) throw new Error('it is not a NATS server');
  const info: unknown = JSON.parse(text.slice('INFO '.length, end));
  const demandsTls = isObject(info) && info['tls_required'] === true;
  return { demandsTls, offersTls: demandsTls || (isObject(info) && info['tls_available'] === true) };
};

/** @throws Error in words for a person */
export const readGreeting = (server: NatsServer, withinMs: number, signal: AbortSignal): Promise<Greeting> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: server.host, port: server.port });
    const timer = setTimeout(() => {
      socket.destroy(new Error(`the server sent no INFO line within ${String(withinMs)} ms`));
    }, withinMs).unref();
    const stop = (): void => {
      socket.destroy(new Error('closed'));
    };
    signal.addEventListener('abort', stop, { once: true });
    let text = '';
    socket.on('data', (chunk) => {
      try {
        const greeting = parseGreeting((text += chunk.toString('latin1')));
        if (greeting === undefined) return;
        resolve(greeting);
        socket.destroy();
      } catch (thrown) {
        socket.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    });
    // Several addresses of one name fail together, and only their parts say why.
    socket.on('error', (error) => {
      reject(error instanceof AggregateError && error.message === '' ? new Error(String(error.errors[0])) : error);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      reject(new Error('the server closed the connection without an INFO line'));
    });
    if (signal.aborted) stop();
  });
