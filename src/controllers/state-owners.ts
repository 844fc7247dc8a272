/** Whose states can be seen and chosen: bots are started again with what was chosen, schedules have it in their next run. */
import type { BotId } from '../domain/bot.ts';
import type { BotState } from '../domain/bot-state.ts';
import type { ScheduleState } from '../domain/schedule-state.ts';
import type { Engine } from '../ports/container-tools.ts';
import type { SpecStore } from '../ports/spec-store.ts';
import type { FoldStore } from './fold-store.ts';
import type { Leader } from './leader.ts';
import type { StateOwner } from './state-snapshots.ts';

interface Keeper<S> {
  readonly states: Pick<FoldStore<S>, 'folds'>;
  readonly engine: Engine;
  /** @throws DroverError LEASE_LOST */
  readonly inTerm: Leader['inTerm'];
}

export interface StateOwnersOptions {
  readonly bots: Keeper<BotState> & { readonly specs: Pick<SpecStore, 'addRequest'> };
  readonly schedules: Keeper<ScheduleState>;
}

export const createStateOwners =
  ({ bots, schedules }: StateOwnersOptions) =>
  (id: BotId): StateOwner | undefined => {
    const bot = bots.states.folds().get(id)?.state;
    if (bot !== undefined && bot.context.incarnation > 0) {
      const { incarnation, attempt } = bot.context;
      return {
        incarnation,
        attempt,
        engine: bots.engine,
        inTerm: bots.inTerm,
        async onChosen({ requestId, actor, at }, reason) {
          const kind = bots.states.folds().get(id)?.state.at === 'failed.exhausted' ? 'reset' : 'restart';
          await bots.specs.addRequest(id, { requestId, kind, actor, reason, at });
        },
      };
    }
    const schedule = schedules.states.folds().get(id)?.state;
    if (schedule === undefined || schedule.context.incarnation === 0) return undefined;
    const { incarnation, attempt } = schedule.context;
    const { engine, inTerm } = schedules;
    return { incarnation, attempt, engine, inTerm, onChosen: () => Promise.resolve() };
  };
