/**
 * Volumes go with their bot: those of a deleted one, and of an incarnation that is over, are removed after a grace period,
 * and never while state or logs lie on them alone (issue 4 point 8, feature E10). What the log does not know is not ours to
 * judge: it stays.
 */
import { toDroverError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContainerTools, ListedVolume } from '../ports/container-tools.ts';
import type { Logger } from '../ports/logger.ts';
import type { ServiceState } from './service-state.ts';

const SWEEP_EVERY_MS = 60_000;

export interface VolumeSweeperOptions {
  readonly engine: Pick<ContainerTools, 'listVolumes' | 'removeVolume'>;
  readonly states: Pick<ServiceState, 'folds'>;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Called at each look at the fleet; sweeps at most once a minute. Never throws: it can always be done later. */
export const createVolumeSweeper = ({ engine, states, graceMs, clock, logger }: VolumeSweeperOptions) => {
  let sweptAt: number | undefined;
  /** The log does not say when an incarnation was replaced: its volumes count from when we saw them so. */
  const replacedSince = new Map<string, number>();

  const overSince = ({ name, botId, incarnation }: ListedVolume, now: number): number | undefined => {
    const state = states.folds().get(botId)?.state;
    if (state === undefined) return undefined;
    const { context } = state;
    if (incarnation === context.incarnation) {
      const isOver = state.at === 'deleted' && context.container === null && context.storage?.unsynced === undefined;
      return isOver ? context.since : undefined;
    }
    if (incarnation > context.incarnation) return undefined;
    const since = replacedSince.get(name) ?? now;
    replacedSince.set(name, since);
    return since;
  };

  return async (): Promise<void> => {
    const now = clock.now();
    if (sweptAt !== undefined && now - sweptAt < Math.min(SWEEP_EVERY_MS, Math.max(graceMs, 1_000))) return;
    sweptAt = now;
    try {
      for (const volume of await engine.listVolumes()) {
        const since = overSince(volume, now);
        if (since === undefined || now - since < graceMs) continue;
        await engine.removeVolume(volume.name);
        replacedSince.delete(volume.name);
        logger.info('volume removed with its bot', { bot: volume.botId, volume: volume.name });
      }
    } catch (thrown) {
      logger.debug('volumes stay for now', { detail: toDroverError(thrown).message });
    }
  };
};
