/** The engine's events as wakes. After every (re)connect anything may have been missed: the whole fleet is looked at. */
import { Observable } from 'rxjs';
import type { ContainerEngine } from '../../ports/container-engine.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Wake } from '../serial-per-key.ts';

export const dockerSource = (engine: ContainerEngine, logger: Logger, onConnected: () => void): Observable<Wake> =>
  new Observable<Wake>((subscriber) => {
    const abort = new AbortController();
    // Told when it changes, not at each of many attempts.
    let connected: boolean | undefined;
    engine.watch(
      {
        onSignal: ({ botId, action, container, time }) => {
          subscriber.next({ key: botId, cause: { kind: 'docker', action, container, time } });
        },
        onConnected: () => {
          if (connected !== true) logger.info('connected to the engine');
          connected = true;
          onConnected();
        },
        onLost: (reason) => {
          if (connected !== false) logger.warn('lost the connection to the engine', { reason });
          connected = false;
        },
      },
      abort.signal,
    );
    return () => {
      abort.abort();
    };
  });
