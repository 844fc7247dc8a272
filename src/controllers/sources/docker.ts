/** The engine's events as wakes. After every (re)connect anything may have been missed: the whole fleet is looked at. */
import { Observable } from 'rxjs';
import type { ContainerEngine } from '../../ports/container-engine.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Wake } from '../serial-per-key.ts';

export const dockerSource = (engine: ContainerEngine, logger: Logger, onConnected: () => void): Observable<Wake> =>
  new Observable<Wake>((subscriber) => {
    const abort = new AbortController();
    engine.watch(
      {
        onSignal: ({ botId, action, container, time }) => {
          subscriber.next({ key: botId, cause: { kind: 'docker', action, container, time } });
        },
        onConnected: () => {
          logger.info('engine connected');
          onConnected();
        },
        onLost: (reason) => {
          logger.warn('engine lost', { reason });
        },
      },
      abort.signal,
    );
    return () => {
      abort.abort();
    };
  });
