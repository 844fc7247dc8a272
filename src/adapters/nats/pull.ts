/** One request for messages, and what the server answers to it. There is never a second one at the same time. */
import { createInbox, type Msg, type NatsConnection } from 'nats';
import { Interrupted } from './interrupted.ts';

export interface PullRequest {
  readonly stream: string;
  readonly consumer: string;
  readonly count: number;
  /** Wait for the first message, or take only what is there. */
  readonly wait: boolean;
}

const NANOS_PER_MS = 1_000_000;
const EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 2_000;
/** Two heartbeats missing, or what lies ready not delivered. */
const SILENT_MS = 5_000;
const HEARTBEAT = 100;
/** Nothing there, and nothing came in time. */
const NOTHING = new Set([404, 408]);

const bodyOf = ({ count, wait }: PullRequest): string =>
  JSON.stringify({
    batch: count,
    ...(wait ? { expires: EXPIRES_MS * NANOS_PER_MS, idle_heartbeat: HEARTBEAT_MS * NANOS_PER_MS } : { no_wait: true }),
  });

/** All that came: `count` messages or less. Undefined when aborted. @throws Interrupted, NatsError */
export const pull = (
  connection: NatsConnection,
  request: PullRequest,
  signal: AbortSignal,
): Promise<readonly Msg[] | undefined> =>
  new Promise((resolve, reject) => {
    const messages: Msg[] = [];
    const inbox = createInbox();
    let isOver = false;
    const interrupt = (reason: string): void => {
      if (isOver) return;
      end();
      reject(new Interrupted(reason));
    };
    const onAbort = (): void => {
      end();
      resolve(undefined);
    };
    const silence = setTimeout(() => {
      interrupt('the server does not answer');
    }, SILENT_MS).unref();
    const asked = `$JS.API.CONSUMER.MSG.NEXT.${request.stream}.${request.consumer}`;
    const subscribed = connection.subscribe(inbox, {
      callback: (error, message) => {
        silence.refresh();
        if (error !== null) {
          end();
          reject(error);
          return;
        }
        const status = message.headers?.code ?? 0;
        if (status === HEARTBEAT) return;
        if (status > HEARTBEAT && !NOTHING.has(status)) {
          interrupt(`${String(status)} ${message.headers?.description ?? ''}`.trimEnd());
          return;
        }
        if (status === 0) messages.push(message);
        if (status === 0 && messages.length < request.count) return;
        end();
        resolve(messages);
      },
    });
    // How the driver finds out whom a refused request belongs to.
    const subscription = Object.assign(subscribed, { requestSubject: asked });
    const end = (): void => {
      isOver = true;
      clearTimeout(silence);
      signal.removeEventListener('abort', onAbort);
      subscription.unsubscribe();
    };
    signal.addEventListener('abort', onAbort);
    void subscription.closed.then(() => {
      interrupt('the connection was lost');
    });
    if (signal.aborted) {
      onAbort();
      return;
    }
    connection.publish(asked, bodyOf(request), { reply: inbox });
  });
