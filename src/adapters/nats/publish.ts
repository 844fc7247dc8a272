/** Best effort, and bounded: what a server does not take is not kept. */
import type { NatsConnection } from 'nats';

/** From here on we ask whether the server has taken it. */
const ASK_BYTES = 64 * 1024;
/** A server that is this far behind hears nothing more until it has caught up. */
const MAX_BEHIND_BYTES = 8 * 1024 * 1024;
/** Subject and protocol words, about. */
const OVERHEAD_BYTES = 100;

export type Publish = (connection: NatsConnection | undefined, subject: string, payload: string) => void;

export const createPublish = (): Publish => {
  let of: NatsConnection | undefined;
  let behind = 0;
  let asking = false;

  const ask = (connection: NatsConnection): void => {
    const asked = behind;
    asking = true;
    connection.flush().then(
      () => {
        if (of !== connection) return;
        behind -= asked;
        asking = false;
      },
      // Broken: the next connection counts from zero.
      () => undefined,
    );
  };

  return (connection, subject, payload) => {
    if (connection === undefined) return;
    if (of !== connection) [of, behind, asking] = [connection, 0, false];
    if (behind > MAX_BEHIND_BYTES) return;
    try {
      connection.publish(subject, payload);
      behind += payload.length + OVERHEAD_BYTES;
      if (behind > ASK_BYTES && !asking) ask(connection);
    } catch {
      // Too large for this server, or no subject at all: dropped like what nobody hears.
    }
  };
};
