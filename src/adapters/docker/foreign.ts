/**
 * Live containers of others for what we are to run: of the0, and of other installs of drover. A start waits for them, so that
 * nothing trades twice; what runs here goes on, and is told.
 */
import type Docker from 'dockerode';
import { LABEL, type InstanceRole } from '../../domain/naming.ts';
import type { ForeignRef, ListedForeign } from '../../domain/observation.ts';
import { partsOfRun } from '../../domain/run-id.ts';

const LIVE = ['running', 'paused', 'restarting'];
/** A thousand runs that are due at once ask together, and so do bots that run. */
const FRESH_MS = 2_000;

type Labels = Readonly<Record<string, unknown>>;

export interface ForeignOptions {
  readonly docker: Docker;
  readonly install: string;
  readonly role: InstanceRole;
  readonly node: () => Promise<string>;
  /** Bots may run beside those of other installs: only the0 is waited for. */
  readonly besideOthers: boolean;
}

/** Is a container with these labels a bot, or a run, of somebody else? Nobody says which slot a run of the0 is for. */
export const isForeign = (
  labels: Labels,
  { install, role, besideOthers }: Pick<ForeignOptions, 'install' | 'role' | 'besideOthers'>,
): boolean => {
  const of = labels[LABEL.install];
  if (of === undefined) return (labels[LABEL.type] === 'scheduled') === (role === 'run');
  return !besideOthers && of !== install && labels[LABEL.role] === role;
};

export const createForeign = (options: ForeignOptions) => {
  const { docker, node } = options;
  let askedAt = -Infinity;
  let known: Promise<readonly ListedForeign[]> = Promise.resolve([]);

  const list = async (label: readonly string[]): Promise<readonly ListedForeign[]> => {
    const filters = { label: [`${LABEL.managed}=true`, ...label], status: LIVE };
    const found = await docker.listContainers({ filters });
    const name = await node();
    return found
      .filter(({ Labels }) => isForeign(Labels, options))
      .map(({ Id, Labels }) => {
        const { [LABEL.id]: botId = '', [LABEL.install]: install } = Labels;
        return { botId, ref: { node: name, id: Id, ...(install === undefined ? {} : { install }) } };
      });
  };
  const all = (): Promise<readonly ListedForeign[]> => {
    if (Date.now() - askedAt >= FRESH_MS) {
      askedAt = Date.now();
      known = list([]);
      // Not known is not none: whoever asks next asks anew.
      known.catch(() => (askedAt = -Infinity));
    }
    return known;
  };
  const of = (found: readonly ListedForeign[], id: string): ForeignRef[] =>
    found.filter(({ botId }) => botId === id).map(({ ref }) => ref);

  return {
    all,
    /** Before a start of this bot or run: as things are now, for a bot. */
    beforeStart: async (id: string): Promise<ForeignRef[]> => {
      const run = partsOfRun(id);
      return run === undefined ? of(await list([`${LABEL.id}=${id}`]), id) : of(await all(), run.scheduleId);
    },
    /** Beside a bot that exists here; undefined for a run. */
    beside: async (id: string): Promise<ForeignRef[] | undefined> =>
      partsOfRun(id) === undefined ? of(await all(), id) : undefined,
  };
};

export type Foreign = ReturnType<typeof createForeign>;
