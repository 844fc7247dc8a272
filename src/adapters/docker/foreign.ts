/** Live containers of the predecessor for what we are to run: it waits for them, so that nothing trades twice. */
import type Docker from 'dockerode';
import { LABEL } from '../../domain/naming.ts';
import type { InstanceRef } from '../../domain/observation.ts';
import { partsOfRun } from '../../domain/run-id.ts';

const LIVE = ['running', 'paused', 'restarting'];
/** A thousand runs that are due at once ask together. */
const FRESH_MS = 2_000;

interface Found {
  readonly id: string;
  readonly ref: InstanceRef;
}

/** Of a bot, or of the schedule of a run; the predecessor does not say which slot one of its runs is for. */
export const createForeign = (docker: Docker, node: () => Promise<string>) => {
  let askedAt = -Infinity;
  let scheduled: Promise<readonly Found[]> = Promise.resolve([]);

  const list = async (
    label: readonly string[],
    isOne: (type: string | undefined) => boolean,
  ): Promise<readonly Found[]> => {
    const found = await docker.listContainers({ filters: { label: [...label], status: LIVE } });
    const name = await node();
    return found
      .filter(({ Labels }) => Labels[LABEL.install] === undefined && isOne(Labels[LABEL.type]))
      .map(({ Id, Labels }) => ({ id: Labels[LABEL.id] ?? '', ref: { node: name, id: Id } }));
  };

  return async (id: string): Promise<InstanceRef[]> => {
    const run = partsOfRun(id);
    if (run === undefined) {
      const label = [`${LABEL.managed}=true`, `${LABEL.id}=${id}`];
      return (await list(label, (type) => type !== 'scheduled')).map(({ ref }) => ref);
    }
    if (Date.now() - askedAt >= FRESH_MS) {
      askedAt = Date.now();
      scheduled = list([`${LABEL.managed}=true`, `${LABEL.type}=scheduled`], (type) => type === 'scheduled');
      // Not known is not none: whoever asks next asks anew.
      scheduled.catch(() => (askedAt = -Infinity));
    }
    return (await scheduled).filter((found) => found.id === run.scheduleId).map(({ ref }) => ref);
  };
};
