/**
 * Query containers that nobody talks to: of processes that were killed, and what an unanswered call left behind. One that lives and
 * is another process's may be in use; when its owner is gone it ends by itself, because its standard input closes.
 */
import type Docker from 'dockerode';
import { LABEL, QUERY_ROLE, QUERY_TOOL_ROLE } from '../../domain/naming.ts';
import { FILL_TIMEOUT_MS } from './code-cache.ts';

export interface SweepOptions {
  readonly docker: Docker;
  readonly install: string;
  /** Random, of this process. */
  readonly owner: string;
  /** Names that this process makes or uses now. */
  readonly mine: ReadonlySet<string>;
  readonly now: number;
  readonly abortSignal: AbortSignal;
}

type Listed = Pick<Docker.ContainerInfo, 'Names' | 'State' | 'Created' | 'Labels'>;

/** From its making to its start nobody takes this long. */
const CREATED_MS = 60_000;

export const isLeftover = (
  { Names, State, Created, Labels }: Listed,
  { owner, mine, now }: Pick<SweepOptions, 'owner' | 'mine' | 'now'>,
): boolean => {
  const age = now - Created * 1_000;
  if (Labels[LABEL.role] === QUERY_TOOL_ROLE) return age > FILL_TIMEOUT_MS + CREATED_MS;
  if (Labels[LABEL.role] !== QUERY_ROLE) return false;
  // Of our own we know which are in use.
  if (Labels[LABEL.queryOwner] === owner) return !Names.some((name) => mine.has(name.slice(1)));
  return State === 'exited' || State === 'dead' || (State === 'created' && age > CREATED_MS);
};

/** Ids. @throws as the engine does */
export const listLeftovers = async (options: SweepOptions): Promise<string[]> => {
  const { docker, install, abortSignal } = options;
  const list = (role: string) => {
    const label = [`${LABEL.install}=${install}`, `${LABEL.role}=${role}`];
    return docker.listContainers({ all: true, filters: { label }, abortSignal });
  };
  const listed = (await Promise.all([list(QUERY_ROLE), list(QUERY_TOOL_ROLE)])).flat();
  return listed.filter((container) => isLeftover(container, options)).map(({ Id }) => Id);
};
