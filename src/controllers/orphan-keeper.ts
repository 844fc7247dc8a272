/**
 * Containers of this install that neither the log nor a document knows. They are told and left alone: what they do is worth
 * money, and applying their document adopts them. An operator may stop them.
 */
import { DroverError } from '../domain/errors.ts';
import { isLive, type ListedContainer } from '../domain/observation.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContainerEngine } from '../ports/container-engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { Orphan, Orphans } from '../ports/orphans.ts';
import type { Leader } from './leader.ts';
import { pause } from './waits.ts';

export interface OrphanKeeperOptions {
  readonly engine: Pick<ContainerEngine, 'observe' | 'ensureSignalled' | 'ensureRemoved'>;
  /** Does a log know this id by now? */
  readonly isKnown: (id: string) => boolean;
  /** @throws DroverError LEASE_LOST */
  readonly inTerm: Leader['inTerm'];
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface OrphanKeeper extends Orphans {
  /** All that a complete list showed. */
  saw(found: readonly ListedContainer[]): void;
}

/** What the0 gives its bots (contract §9.1): the document that could say otherwise is not there. */
const GRACE_MS = 30_000;
const LOOK_MS = 200;

export const createOrphanKeeper = (options: OrphanKeeperOptions): OrphanKeeper => {
  const { engine, isKnown, inTerm, clock, logger } = options;
  let known = new Map<string, { readonly orphan: Orphan; readonly listed: ListedContainer }>();

  const hasEnded = async ({ botId, ref }: ListedContainer): Promise<boolean> => {
    const seen = await engine.observe(botId);
    if (seen.kind === 'unknown') throw new DroverError('ENGINE_UNAVAILABLE', seen.reason);
    return seen.kind !== 'present' || seen.container.ref.id !== ref.id || !isLive(seen.container.status);
  };
  const end = async (listed: ListedContainer): Promise<void> => {
    const { ref, botId } = listed;
    logger.warn('stopping a container that belongs to no bot', { bot: botId, container: ref.id });
    await engine.ensureSignalled(ref, 'SIGTERM');
    for (const until = clock.now() + GRACE_MS; clock.now() < until && !(await hasEnded(listed));)
      await pause(clock, LOOK_MS);
    if (!(await hasEnded(listed))) await engine.ensureSignalled(ref, 'SIGKILL');
    await engine.ensureRemoved(ref, true);
    known.delete(ref.id);
  };

  return {
    saw(found) {
      const now = clock.now();
      const next: typeof known = new Map();
      for (const listed of found) {
        const { ref, botId: id, status } = listed;
        const before = known.get(ref.id)?.orphan;
        next.set(ref.id, { listed, orphan: { id, container: ref.id, status, since: before?.since ?? now } });
        if (before !== undefined) continue;
        const remedy = `apply the document of this bot to go on with it, or run \`drover orphans --stop ${id}\``;
        logger.warn('a container of this install belongs to no bot', { bot: id, container: ref.id, status, remedy });
      }
      known = next;
    },
    list: () => [...known.values()].map(({ orphan }) => orphan),
    stop: (id) =>
      inTerm(async () => {
        if (isKnown(id)) {
          throw new DroverError('REQUEST_INVALID', `${JSON.stringify(id)} belongs to a bot: disable or delete the bot`);
        }
        const all = [...known.values()].filter(({ orphan }) => orphan.id === id);
        if (all.length === 0) throw new DroverError('BOT_NOT_FOUND', `there is no orphan ${JSON.stringify(id)}`);
        for (const { listed } of all) await end(listed);
        return all.map(({ orphan }) => orphan.container);
      }),
  };
};

/** Those of bots and those of runs as one. */
export const joinOrphans = (keepers: readonly Orphans[]): Orphans => ({
  list: () => keepers.flatMap((keeper) => keeper.list()),
  stop: (id) =>
    (keepers.find((keeper) => keeper.list().some((orphan) => orphan.id === id)) ?? keepers[0])?.stop(id) ??
    Promise.resolve([]),
});
