/** An engine whose silence is noted: what the log says of containers is only what was seen last, while nobody can look. */
import { DroverError } from '../domain/errors.ts';
import type { Engine } from '../ports/container-tools.ts';
import { ENGINE_TOPIC, sightOf, type Troubles } from './troubles.ts';

const AWAY: ReadonlySet<string> = new Set(['ENGINE_UNAVAILABLE', 'ENGINE_TIMEOUT']);

export const watchedEngine = (engine: Engine, troubles: Troubles): Engine => {
  const noted = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      const answer = await call();
      troubles.healed(ENGINE_TOPIC);
      return answer;
    } catch (thrown) {
      if (thrown instanceof DroverError && AWAY.has(thrown.code)) troubles.failed(ENGINE_TOPIC, thrown);
      throw thrown;
    }
  };
  const ping = (): Promise<void> => noted(() => engine.ping());
  return {
    ...engine,
    ping,
    list: () => noted(() => engine.list()),
    async observe(id) {
      const seen = await engine.observe(id);
      if (seen.kind === 'unknown') troubles.failed(sightOf(id), new DroverError('ENGINE_UNAVAILABLE', seen.reason));
      else troubles.healed(sightOf(id));
      return seen;
    },
    watch(watch, signal) {
      engine.watch(
        {
          ...watch,
          onConnected() {
            troubles.healed(ENGINE_TOPIC);
            watch.onConnected();
          },
          onLost(reason) {
            watch.onLost(reason);
            // A stream breaks off for many reasons: whether the engine is there says the next call.
            void ping().catch(() => undefined);
          },
        },
        signal,
      );
    },
  };
};
