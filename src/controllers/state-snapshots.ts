/** Earlier states of a bot or a schedule through a short-lived container of ours: only there is what lists, verifies and unpacks them. */
import type { BotId } from '../domain/bot.ts';
import { DroverError, isErrorCode } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import { snapshotText } from '../domain/sync-report.ts';
import type { ContainerTools } from '../ports/container-tools.ts';
import type { Asked } from '../ports/spec-store.ts';
import type { StateSnapshots } from '../ports/state-snapshots.ts';
import type { Leader } from './leader.ts';

/** A snapshot may be of 8 GiB, and is verified whole before it is chosen. */
const TIMEOUT_MS = 10 * 60_000;

/** Whose state it is, and who keeps it. */
export interface StateOwner {
  readonly incarnation: number;
  readonly attempt: number;
  readonly engine: Pick<ContainerTools, 'runTool'>;
  /** @throws DroverError LEASE_LOST */
  readonly inTerm: Leader['inTerm'];
  /** Once a snapshot was chosen; `reason` says which. */
  readonly onChosen: (asked: Asked, reason: string) => Promise<void>;
}

const answerIn = (output: string): unknown => {
  try {
    return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
};

/** `find`: undefined for an id that nobody knows. */
export const createStateSnapshots = (find: (id: BotId) => StateOwner | undefined): StateSnapshots => {
  const ownerOf = (botId: BotId): StateOwner => {
    const owner = find(botId);
    if (owner === undefined) throw new DroverError('BOT_NOT_FOUND', `there is no bot ${JSON.stringify(botId)}`);
    return owner;
  };
  const run = async (botId: BotId, owner: StateOwner, args: readonly string[]): Promise<unknown> => {
    const { incarnation, attempt, engine, inTerm } = owner;
    const asked = { botId, incarnation, attempt, image: null, args: ['state', ...args], timeoutMs: TIMEOUT_MS };
    const { code, output, complaints } = await inTerm(() => engine.runTool(asked));
    const answer = answerIn(output);
    if (code === 0) return answer;
    const said = isObject(answer) ? answer : {};
    const known = typeof said['code'] === 'string' && isErrorCode(said['code']) ? said['code'] : 'INTERNAL';
    throw new DroverError(known, typeof said['detail'] === 'string' ? said['detail'] : complaints.slice(-500));
  };

  return {
    list: async (botId) => run(botId, ownerOf(botId), ['list']),
    async choose(botId, snapshot, asked) {
      const owner = ownerOf(botId);
      await run(botId, owner, ['choose', snapshotText(snapshot), '--request', asked.requestId]);
      await owner.onChosen(asked, `snapshot ${snapshotText(snapshot)} was selected`);
    },
  };
};
