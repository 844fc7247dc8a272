/**
 * Short-lived containers that nobody waits for: of processes that were killed, and what an unanswered call left behind. They are
 * in the way: a volume that one of them mounts is not removed.
 */
import type Docker from 'dockerode';
import { LABEL, TOOL_ROLE, type InstanceRole } from '../../domain/naming.ts';
import { FILL_TIMEOUT_MS } from './code-cache.ts';
import { doneAlso, toEngineError } from './docker-errors.ts';

export interface ToolSweep {
  readonly docker: Docker;
  readonly install: string;
  /** What this process keeps. Of each kind one process acts at a time, so that another owner of the same kind is over. */
  readonly role: InstanceRole;
  /** Random, of this process. */
  readonly owner: string;
  /** Names that this process runs now. */
  readonly mine: ReadonlySet<string>;
  /** @throws DroverError LEASE_LOST */
  readonly mayAct: () => void;
  readonly now: number;
  /** Those beside the volumes of one bot or schedule; all when undefined. */
  readonly botId: string | undefined;
}

type Listed = Pick<Docker.ContainerInfo, 'Names' | 'Created' | 'Labels'>;

/** From its end to its removal nobody takes this long. */
const SETTLE_MS = 60_000;
const CALL_MS = 30_000;

/** Exported for tests. */
export const isLeftoverTool = (
  { Names, Created, Labels }: Listed,
  { role, owner, mine, now }: Pick<ToolSweep, 'role' | 'owner' | 'mine' | 'now'>,
): boolean => {
  const by = Labels[LABEL.toolOwner];
  // What fills the code cache has no owner: whoever takes over waits for its end, or for its longest time.
  if (by === undefined) return now - Created * 1_000 > FILL_TIMEOUT_MS + SETTLE_MS;
  if (Labels[LABEL.toolFor] !== role) return false;
  return by !== owner || !Names.some((name) => mine.has(name.slice(1)));
};

/** Returns how many were removed. @throws DroverError when they cannot be listed, LEASE_LOST */
export const removeLeftoverTools = async (sweep: ToolSweep): Promise<number> => {
  const { docker, install, mayAct, botId } = sweep;
  const label = [`${LABEL.install}=${install}`, `${LABEL.role}=${TOOL_ROLE}`];
  if (botId !== undefined) label.push(`${LABEL.id}=${botId}`);
  const abortSignal = AbortSignal.timeout(CALL_MS);
  let listed: readonly Docker.ContainerInfo[];
  try {
    listed = await docker.listContainers({ all: true, filters: { label }, abortSignal });
  } catch (thrown) {
    throw toEngineError(thrown);
  }
  let removed = 0;
  for (const { Id } of listed.filter((container) => isLeftoverTool(container, sweep))) {
    mayAct();
    // One that cannot be removed now is there at the next sweep, too.
    await doneAlso([404, 409], () =>
      docker.getContainer(Id).remove({ force: true, v: true, abortSignal: AbortSignal.timeout(CALL_MS) }),
    ).then(
      () => (removed += 1),
      () => undefined,
    );
  }
  return removed;
};
