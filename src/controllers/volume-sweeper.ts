/**
 * Volumes go with their bot: those of a deleted one, and of an incarnation that is over, are removed after a grace period,
 * and never while state or logs lie on them alone (feature E10). What the log does not know is not ours to
 * judge: it stays.
 */
import { toDroverError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContainerTools, ListedVolume } from '../ports/container-tools.ts';
import type { Logger } from '../ports/logger.ts';
import type { ServiceState } from './service-state.ts';

const SWEEP_EVERY_MS = 60_000;

/** Whose a volume is, as its log says. */
export interface VolumeOwner {
  readonly incarnation: number;
  /** When all was over, nothing left to be stored; undefined: not yet. */
  readonly overSince: number | undefined;
}

export interface VolumeSweeperOptions {
  readonly engine: Pick<ContainerTools, 'listVolumes' | 'removeVolume' | 'removeLeftoverTools' | 'removeScratch'>;
  /** Undefined for what no log knows. */
  readonly ownerOf: (volume: ListedVolume) => VolumeOwner | undefined | Promise<VolumeOwner | undefined>;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Volumes of bots. */
export const botVolumeOwner =
  (states: Pick<ServiceState, 'folds'>) =>
  ({ botId }: ListedVolume): VolumeOwner | undefined => {
    const state = states.folds().get(botId)?.state;
    if (state === undefined) return undefined;
    const { incarnation, container, storage, since } = state.context;
    const isOver = state.at === 'deleted' && container === null && storage?.unsynced === undefined;
    return { incarnation, overSince: isOver ? since : undefined };
  };

/** Called at each look at the fleet; sweeps at most once a minute. Never throws: it can always be done later. */
export const createVolumeSweeper = ({ engine, ownerOf, graceMs, clock, logger }: VolumeSweeperOptions) => {
  let sweptAt: number | undefined;
  /** The log does not say when an incarnation was replaced: its volumes count from when we saw them so. */
  const replacedSince = new Map<string, number>();

  const overSince = async (volume: ListedVolume, now: number): Promise<number | undefined> => {
    const { name, incarnation } = volume;
    const owner = await ownerOf(volume);
    if (owner === undefined) return undefined;
    if (incarnation === owner.incarnation) return owner.overSince;
    if (incarnation > owner.incarnation) return undefined;
    const since = replacedSince.get(name) ?? now;
    replacedSince.set(name, since);
    return since;
  };

  /** First of all: a volume that one of them mounts cannot be removed. */
  const sweepTools = async (): Promise<void> => {
    try {
      const removed = await engine.removeLeftoverTools();
      if (removed > 0) logger.info('removed short-lived containers of a process that is gone', { count: removed });
    } catch (thrown) {
      logger.debug('cannot remove short-lived containers yet', { detail: toDroverError(thrown).message });
    }
  };

  const sweepScratch = async (): Promise<void> => {
    try {
      const removed = await engine.removeScratch();
      if (removed > 0) logger.info('removed volumes without a container', { count: removed });
    } catch (thrown) {
      logger.debug('cannot remove volumes without a container yet', { detail: toDroverError(thrown).message });
    }
  };

  /** One that cannot be removed, or judged, is in nobody else's way. */
  const sweepVolume = async (volume: ListedVolume, now: number): Promise<void> => {
    try {
      const since = await overSince(volume, now);
      if (since === undefined || now - since < graceMs) return;
      await engine.removeVolume(volume.name);
      replacedSince.delete(volume.name);
      logger.info('removed a volume of a deleted bot', { bot: volume.botId, volume: volume.name });
    } catch (thrown) {
      const detail = toDroverError(thrown).message;
      logger.debug('cannot remove a volume yet', { bot: volume.botId, volume: volume.name, detail });
    }
  };

  return async (): Promise<void> => {
    const now = clock.now();
    if (sweptAt !== undefined && now - sweptAt < Math.min(SWEEP_EVERY_MS, Math.max(graceMs, 1_000))) return;
    sweptAt = now;
    await sweepTools();
    await sweepScratch();
    let volumes: readonly ListedVolume[] = [];
    try {
      volumes = await engine.listVolumes();
    } catch (thrown) {
      logger.debug('cannot list volumes', { detail: toDroverError(thrown).message });
    }
    for (const volume of volumes) await sweepVolume(volume, now);
  };
};
