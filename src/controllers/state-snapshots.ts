/** Earlier states of a bot through a short-lived container of ours: only there is what lists, verifies and unpacks them. */
import type { BotId } from '../domain/bot.ts';
import { DroverError, isErrorCode } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import { snapshotText } from '../domain/sync-report.ts';
import type { ContainerTools } from '../ports/container-tools.ts';
import type { SpecStore } from '../ports/spec-store.ts';
import type { StateSnapshots } from '../ports/state-snapshots.ts';
import type { ServiceState } from './service-state.ts';

/** A snapshot may be of 8 GiB, and is verified whole before it is chosen. */
const TIMEOUT_MS = 10 * 60_000;

export interface StateSnapshotsOptions {
  readonly engine: Pick<ContainerTools, 'runTool'>;
  readonly states: Pick<ServiceState, 'folds'>;
  readonly specs: Pick<SpecStore, 'addRequest'>;
  /** @throws DroverError LEASE_LOST */
  readonly mayAct: () => void;
}

const answerIn = (output: string): unknown => {
  try {
    return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
};

export const createStateSnapshots = ({ engine, states, specs, mayAct }: StateSnapshotsOptions): StateSnapshots => {
  const run = async (botId: BotId, args: readonly string[]): Promise<unknown> => {
    const state = states.folds().get(botId)?.state;
    if (state === undefined || state.context.incarnation === 0) {
      throw new DroverError('BOT_NOT_FOUND', `there is no bot ${JSON.stringify(botId)}`);
    }
    mayAct();
    const { incarnation, attempt } = state.context;
    const asked = { botId, incarnation, attempt, image: null, args: ['state', ...args], timeoutMs: TIMEOUT_MS };
    const { code, output, complaints } = await engine.runTool(asked);
    const answer = answerIn(output);
    if (code === 0) return answer;
    const said = isObject(answer) ? answer : {};
    const known = typeof said['code'] === 'string' && isErrorCode(said['code']) ? said['code'] : 'INTERNAL';
    throw new DroverError(known, typeof said['detail'] === 'string' ? said['detail'] : complaints.slice(-500));
  };

  return {
    list: (botId) => run(botId, ['list']),
    async choose(botId, snapshot, { requestId, actor, at }) {
      await run(botId, ['choose', snapshotText(snapshot), '--request', requestId]);
      const gaveUp = states.folds().get(botId)?.state.at === 'failed.exhausted';
      const reason = `state ${snapshotText(snapshot)} was chosen`;
      await specs.addRequest(botId, { requestId, kind: gaveUp ? 'reset' : 'restart', actor, reason, at });
    },
  };
};
