/**
 * The query containers port over dockerode. Query containers change nothing of a bot, so any process may run them: no lease is
 * asked for.
 */
import { randomBytes } from 'node:crypto';
import { freemem, totalmem } from 'node:os';
import type Docker from 'dockerode';
import { queryName } from '../../domain/naming.ts';
import type { ArchiveStore } from '../../ports/archive-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { QueryContainer, QueryContainers } from '../../ports/query-containers.ts';
import type { StoreAccessSource } from '../../ports/store-access-source.ts';
import { createCodeCache, FILL_TIMEOUT_MS } from './code-cache.ts';
import { isLocal } from './connect.ts';
import { textOf } from './docker-errors.ts';
import { createPuller } from './image.ts';
import { createLane } from './lanes.ts';
import { createEndpointLook } from './query-endpoint.ts';
import { openQuery } from './query-open.ts';
import type { QuerySettings } from './query-options.ts';
import { listLeftovers } from './query-sweep.ts';
import type { QueryReach } from './query-way.ts';
import { removeQuery } from './remove-query.ts';

export interface QueryContainersOptions extends Omit<QuerySettings, 'owner'> {
  readonly docker: Docker;
  readonly archives: ArchiveStore;
  /** Keys for the bots' own parts of the archive store. */
  readonly access: StoreAccessSource;
  /** Query containers that are made and started at once, at most. */
  readonly startsInFlight: number;
  readonly reach: QueryReach;
  /** Whether /proc of this host is asked who has an address; false: always the engine, as in a container of its own. Default true. */
  readonly procfs?: boolean;
  /** Deadline of a call that changes something, ms; reads have a third of it. */
  readonly deadlineMs?: number;
  /** Longest time in which nothing of a code archive moves, ms. */
  readonly idleMs?: number;
  readonly logger?: Logger;
}

const REMOVALS_IN_FLIGHT = 8;

export const createQueryContainers = (options: QueryContainersOptions): QueryContainers => {
  const {
    docker,
    install,
    archives,
    reach,
    procfs = true,
    startsInFlight,
    deadlineMs = 30_000,
    idleMs = 30_000,
    logger,
  } = options;
  const owner = randomBytes(8).toString('hex');
  // Lanes of their own: a storm of queries holds up no bot.
  const starts = createLane({ name: 'query start', width: startsInFlight, deadlineMs: deadlineMs * 2 });
  const removals = createLane({ name: 'query removal', width: REMOVALS_IN_FLIGHT, deadlineMs });
  const reads = createLane({ name: 'read', width: 32, deadlineMs: deadlineMs / 3 });
  const pull = createPuller(docker);
  const codeCache = createCodeCache({
    docker,
    install,
    filler: 'query',
    archives,
    image: options.image,
    pull,
    lane: createLane({ name: 'fill', width: startsInFlight, deadlineMs: FILL_TIMEOUT_MS + deadlineMs * 2 }),
    idleMs,
    mayAct: () => undefined,
  });
  /** Names that are made or in use. */
  const mine = new Set<string>();

  const remove = async (container: string, mayAppear = false): Promise<void> => {
    const done = await removeQuery({ docker, lane: removals, container, mayAppear });
    if (!done) logger?.warn('cannot remove a query container, the next sweep retries', { container });
  };
  const opening = { ...options, owner, codeCache, pull, starts, remove };

  /** Its name is ours until it is gone, so that our own sweep leaves it alone. */
  const tracked = (container: QueryContainer, name: string): QueryContainer => ({
    ...container,
    remove: () => container.remove().finally(() => mine.delete(name)),
  });

  return {
    endpointOf: createEndpointLook({ docker, reach, reads, procfs: procfs && isLocal(docker) }),
    async open(plan, signal) {
      signal.throwIfAborted();
      const name = queryName(install, plan.spec.id, randomBytes(6).toString('hex'));
      mine.add(name);
      try {
        return tracked(await openQuery(opening, plan, name, signal), name);
      } catch (thrown) {
        mine.delete(name);
        throw thrown;
      }
    },
    async sweep() {
      try {
        const left = await reads((abortSignal) =>
          listLeftovers({ docker, install, owner, mine, now: Date.now(), abortSignal }),
        );
        await Promise.all(left.map((id) => remove(id)));
        if (left.length > 0) logger?.info('removed unused query containers', { count: left.length });
      } catch (thrown) {
        logger?.debug('cannot sweep query containers', { detail: textOf(thrown) });
      }
    },
    memoryFree: () => (isLocal(docker) ? freemem() / totalmem() : undefined),
  };
};
