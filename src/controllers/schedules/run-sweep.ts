/** The tick over runs: one list of their containers, and a wake for each that differs from what the logs say. */
import type { BotState } from '../../domain/bot-state.ts';
import type { ListedContainer } from '../../domain/observation.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ContainerEngine } from '../../ports/container-engine.ts';
import type { Logger } from '../../ports/logger.ts';
import type { FoldStore } from '../fold-store.ts';
import { needsLook } from '../needs-look.ts';
import { createOrphanSweeper } from '../orphan-sweeper.ts';
import { createReportSampler } from '../report-sampler.ts';
import type { Wake } from '../serial-per-key.ts';
import type { RunKeeper } from './run-keeper.ts';

export interface RunSweepDependencies {
  readonly engine: ContainerEngine;
  readonly runs: FoldStore<BotState>;
  readonly keeper: RunKeeper;
  /** Told of the containers whose run no log knows. */
  readonly onOrphans: (found: readonly ListedContainer[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const NO_WISH = { kind: 'unknown', reason: 'this sweep only compares what the engine lists' } as const;

export const createRunSweep = ({ engine, runs, keeper, onOrphans, clock, logger }: RunSweepDependencies) => {
  const sweepOrphans = createOrphanSweeper(engine, logger);
  const sample = createReportSampler();
  /** Containers of runs that no log knows. */
  const strange = new Set<string>();

  const list = async (): Promise<ReadonlyMap<string, ListedContainer> | undefined> => {
    try {
      const listed = await engine.list();
      await sweepOrphans(listed);
      return new Map(listed.filter(({ named }) => named).map((container) => [container.botId, container]));
    } catch (error) {
      logger.warn('cannot list containers', { error });
      return undefined;
    }
  };

  const isStrange = async (id: string, { ref }: ListedContainer): Promise<boolean> => {
    if (strange.has(ref.id)) return true;
    // A log that cannot be folded is told by the turn of its own run.
    const known = await runs.load(id).then(
      ({ version }) => version > 0,
      () => true,
    );
    if (known) return false;
    runs.evict(id);
    strange.add(ref.id);
    return true;
  };

  return async (tick: number): Promise<readonly Wake[]> => {
    const listed = await list();
    const wished = keeper.wished();
    for (const id of [...runs.folds().keys()]) keeper.tidy(id);
    const unknown = [...(listed?.keys() ?? [])].filter((id) => !runs.folds().has(id) && !wished.has(id));
    const left = new Set<string>();
    const orphans: ListedContainer[] = [];
    for (const id of unknown) {
      const container = listed?.get(id);
      if (container === undefined) continue;
      if (await isStrange(id, container)) orphans.push(container);
      else left.add(id);
    }
    if (listed !== undefined) onOrphans(orphans);
    const now = clock.now();
    const folds = runs.folds();
    const sampled = sample(folds);
    const differing = [...new Set([...folds.keys(), ...wished.keys(), ...left])].filter((id) => {
      const state = folds.get(id)?.state;
      const wish = wished.get(id);
      if (wish !== undefined && (state === undefined || state.context.incarnation === 0)) return true;
      if (wish?.stop === true && state?.context.wanted === true) return true;
      if (left.has(id) || sampled.has(id) || runs.isOutdated(id)) return true;
      return listed === undefined
        ? needsLook(state, NO_WISH, undefined, now) && state?.context.container == null
        : needsLook(state, NO_WISH, listed.get(id), now);
    });
    return differing.map((key) => ({ key, cause: { kind: 'tick', number: tick } }));
  };
};
