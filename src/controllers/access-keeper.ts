/** Renews the keys of bots that run, well before they expire and without a restart; also those that started without any. */
import { toDroverError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContainerTools } from '../ports/container-tools.ts';
import type { Logger } from '../ports/logger.ts';
import type { ServiceState } from './service-state.ts';

export interface AccessKeeperOptions {
  readonly engine: Pick<ContainerTools, 'renewAccess'>;
  readonly states: Pick<ServiceState, 'folds'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Side by side: all bots at once after a takeover would be a storm. */
const AT_ONCE = 4;

/** Called at each look at the fleet. Never throws: what fails is tried at the next one. */
export const createAccessKeeper = ({ engine, states, clock, logger }: AccessKeeperOptions) => {
  /** Container → when its keys are to be renewed. */
  const due = new Map<string, number>();
  let working = false;

  return async (): Promise<void> => {
    if (working) return;
    working = true;
    try {
      const running = [...states.folds()].flatMap(([botId, { state }]) => {
        const { container } = state.context;
        return state.at === 'running' && container !== null && container.exited !== true ? [{ botId, container }] : [];
      });
      const live = new Set(running.map(({ container }) => container.ref.id));
      for (const id of due.keys()) if (!live.has(id)) due.delete(id);
      const waiting = running.filter(({ container }) => (due.get(container.ref.id) ?? 0) <= clock.now());
      const lane = async (): Promise<void> => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
          const { botId, container } = next;
          try {
            const expiresAt = await engine.renewAccess(container.ref, botId);
            const now = clock.now();
            due.set(container.ref.id, expiresAt === undefined ? Infinity : now + (expiresAt - now) / 2);
          } catch (thrown) {
            logger.warn('cannot renew archive credentials', { bot: botId, detail: toDroverError(thrown).message });
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
    } finally {
      working = false;
    }
  };
};
