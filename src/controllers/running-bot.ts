/** The seed's RunningBot, read off a machine state. */
import { phaseOf } from '../domain/bot-state.ts';
import type { RunningBot } from '../domain/running-bot.ts';
import { conditionsOf } from '../machines/conditions.ts';
import type { VersionedState } from '../machines/snapshot.ts';

export const toRunningBot = (botId: string, { state, version }: VersionedState): RunningBot => {
  const { context } = state;
  const live = context.container !== null && context.container.exited !== true ? context.container : null;
  return {
    botId,
    containerId: live?.ref.id ?? null,
    status: phaseOf(state.at),
    state: state.at,
    startTime: live?.startedAt ?? null,
    restarts: Math.max(0, context.starts - 1),
    generation: context.generation,
    // A container that runs today's spec has seen today's generation, whatever number it was started under.
    observedGeneration:
      live === null ? null : live.specHash === context.specHash ? context.generation : live.generation,
    attempt: context.attempt,
    wanted: context.wanted,
    notBefore: state.at === 'failed.backingOff' ? context.notBefore : null,
    lastExit:
      context.lastExit === null
        ? null
        : {
            exitCode: context.lastExit.exitCode,
            class: context.lastExit.class,
            at: context.lastExit.at,
            ...(context.lastExit.detail === undefined ? {} : { detail: context.lastExit.detail }),
          },
    unsynced: live === null && context.storage?.unsynced !== undefined,
    conditions: conditionsOf(state),
    version,
  };
};
