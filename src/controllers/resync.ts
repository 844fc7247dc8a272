/** One look at the whole fleet: which bots differ from what the log says, and are those differences to be trusted? */
import type { BotId, Desired } from '../domain/bot.ts';
import type { ForeignRef, ListedContainer } from '../domain/observation.ts';
import type { SpecDefaults } from '../documents/bot-document.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContainerEngine } from '../ports/container-engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { FleetRead, SpecStore } from '../ports/spec-store.ts';
import { desiredOfRecord, isStop } from './desire.ts';
import { needsLook } from './needs-look.ts';
import { createOrphanSweeper } from './orphan-sweeper.ts';
import { createReportSampler } from './report-sampler.ts';
import { requestCause } from './request-cause.ts';
import type { FleetGuard } from './removal-guard.ts';
import type { Wake } from './serial-per-key.ts';
import type { ServiceState } from './service-state.ts';

export interface ResyncDependencies {
  readonly engine: ContainerEngine;
  readonly specs: SpecStore;
  readonly states: ServiceState;
  readonly guard: FleetGuard;
  readonly defaults: SpecDefaults;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of the containers that belong to no bot. */
  readonly onOrphans: (found: readonly ListedContainer[]) => void;
  /** Told of each complete read. */
  readonly onRead: (read: FleetRead) => void;
}

export const createResync = (dependencies: ResyncDependencies) => {
  const { engine, specs, states, guard, defaults, clock, logger, onRead, onOrphans } = dependencies;
  const sweep = createOrphanSweeper(engine, logger);
  const sample = createReportSampler();

  const listByBot = async (): Promise<ReadonlyMap<BotId, ListedContainer> | undefined> => {
    try {
      const listed = await engine.list();
      await sweep(listed);
      return new Map(listed.filter(({ named }) => named).map((container) => [container.botId, container]));
    } catch (error) {
      logger.warn('cannot list containers', { error });
      return undefined;
    }
  };

  /** By bot; undefined where the engine does not answer. */
  const listForeign = async (): Promise<ReadonlyMap<BotId, readonly ForeignRef[]> | undefined> => {
    try {
      const found = new Map<BotId, ForeignRef[]>();
      for (const { botId, ref } of await engine.listForeign()) found.set(botId, [...(found.get(botId) ?? []), ref]);
      return found;
    } catch {
      return undefined;
    }
  };

  const judge = (read: FleetRead, desired: ReadonlyMap<BotId, Desired>): void => {
    const asked = new Set(read.records.filter((record) => record.asked !== undefined).map(({ id }) => id));
    const wanted = [...states.folds()].filter(([, { state }]) => state.context.wanted).map(([id]) => id);
    guard.judge(read, wanted, (id) => {
      const wish = desired.get(id) ?? { kind: 'gone' };
      if (!isStop(wish)) return 'no';
      return asked.has(id) ? 'asked' : 'unasked';
    });
  };

  return async (tick: number): Promise<readonly Wake[]> => {
    const [listed, foreign, read] = await Promise.all([listByBot(), listForeign(), specs.readFleet()]);
    onRead(read);
    const drained = read.drain !== undefined;
    const desired = new Map(read.records.map((record) => [record.id, desiredOfRecord(record, defaults, drained)]));
    judge(read, desired);
    const now = clock.now();
    const folds = states.folds();
    const isKnown = (id: BotId): boolean => (folds.get(id)?.state.context.incarnation ?? 0) > 0;
    const isWished = (id: BotId): boolean => (desired.get(id)?.kind ?? 'gone') !== 'gone';
    if (listed !== undefined)
      onOrphans([...listed.values()].filter(({ botId }) => !isKnown(botId) && !isWished(botId)));
    const keys = new Set([...folds.keys(), ...desired.keys()]);
    const sampled = sample(folds);
    const differing = [...keys].filter((id) => {
      if (sampled.has(id) || states.isOutdated(id)) return true;
      const state = folds.get(id)?.state;
      const wish = desired.get(id) ?? ({ kind: 'gone' } as const);
      // Without a list only the wishes can be compared: an engine that does not answer is not an empty one.
      return listed === undefined
        ? needsLook(state, wish, undefined, now) && state?.context.container == null
        : needsLook(state, wish, listed.get(id), now, foreign && (foreign.get(id) ?? []));
    });
    states.counters.resynced(now);
    const fleetCause = read.drain && requestCause(read.drain);
    return differing.map((key) => ({ key, cause: fleetCause ?? { kind: 'tick', number: tick } }));
  };
};
