/** Connections that are known to lead to one container: made, and only then asked whether the address is still its own. */
import { buildConnector } from 'undici';
import { DroverError } from '../../domain/errors.ts';
import type { QueryEndpoint } from '../../ports/query-containers.ts';
import { notItsOwn } from './proxy-errors.ts';

const CONNECT_MS = 2_000;
/** So long the engine's relay may take to find out that nobody listens inside, and to close. */
const RELAY_MS = 10;

/**
 * The order matters: an address that is the container's after the connection was made was so at its other end. From then on the
 * connection is the container's: it ends with it, and never leads to who has the address next (fault R40).
 */
export const boundConnect = (endpoint: QueryEndpoint): buildConnector.connector => {
  const connect = buildConnector({ timeout: CONNECT_MS });
  return (options, callback) => {
    connect(options, (error, socket) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      const settle = (isBound: boolean | undefined): void => {
        // A port on loopback is open also where nobody listens inside: the engine's relay then closes it at once.
        const isClosed = socket.destroyed || socket.readableEnded;
        // What cannot be confirmed is not.
        if (isBound === true && !isClosed) {
          callback(null, socket);
          return;
        }
        socket.destroy();
        const refused = new DroverError(
          'QUERY_UNREACHABLE',
          'the query server of the bot does not listen: the connection was closed',
        );
        callback(isBound === true ? refused : notItsOwn('before the query was sent'), null);
      };
      const known = endpoint.holds();
      if (known === undefined) {
        void endpoint.confirm().then((isBound) => {
          if (endpoint.via === 'published') setTimeout(settle, RELAY_MS, isBound);
          else settle(isBound);
        });
      } else settle(known);
    });
  };
};
