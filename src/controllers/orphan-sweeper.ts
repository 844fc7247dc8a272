/**
 * Containers that carry our labels but not a bot's name. Slow and cautious: what we set aside ourselves is removed once
 * it was seen dead twice; anything else is an impostor, told once and never touched (fault R27, feature B7).
 */
import { isLive, type ListedContainer } from '../domain/observation.ts';
import type { ContainerEngine } from '../ports/container-engine.ts';
import type { Logger } from '../ports/logger.ts';

/** Takes each resync's list. Never rejects: what cannot be removed now is tried at the next tick. */
export const createOrphanSweeper = (engine: ContainerEngine, logger: Logger) => {
  let dead = new Set<string>();
  const told = new Set<string>();

  return async (listed: readonly ListedContainer[]): Promise<void> => {
    const unnamed = listed.filter(({ named }) => !named);
    const deadNow = unnamed.filter(({ aside, status }) => aside && !isLive(status));
    for (const { ref, botId } of deadNow.filter((container) => dead.has(container.ref.id))) {
      await engine.ensureRemoved(ref, false).then(
        () => {
          logger.info('orphan removed', { bot: botId, container: ref.id });
        },
        (error: unknown) => {
          logger.debug('cannot remove an orphan yet', { bot: botId, container: ref.id, error });
        },
      );
    }
    dead = new Set(deadNow.map(({ ref }) => ref.id));
    for (const { ref, botId } of unnamed.filter(({ aside }) => !aside)) {
      if (told.has(ref.id)) continue;
      told.add(ref.id);
      logger.warn('ignoring a container that has the labels of drover but another name', {
        bot: botId,
        container: ref.id,
      });
    }
  };
};
