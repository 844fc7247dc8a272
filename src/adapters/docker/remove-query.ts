/** Removing what was made for a query: also what an unanswered call may still make, and by an engine that hiccups. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { statusOf } from './docker-errors.ts';
import type { Lane } from './lanes.ts';

export interface QueryRemoval {
  readonly docker: Docker;
  readonly lane: Lane;
  /** Id, or a name that is nobody else's. */
  readonly container: string;
  /** The engine did not say whether it was made: it may be there only in a moment. */
  readonly mayAppear?: boolean;
}

const WITHIN_MS = 5_000;
const FIRST_DELAY_MS = 200;

/** With its anonymous volumes. False when the engine did not do it: then it is left to the next sweep. Never throws. */
export const removeQuery = async ({ docker, lane, container, mayAppear = false }: QueryRemoval): Promise<boolean> => {
  const until = Date.now() + WITHIN_MS;
  for (let delay = FIRST_DELAY_MS; ; delay *= 2) {
    const status = await lane(async (abortSignal) => {
      try {
        await docker.getContainer(container).remove({ force: true, v: true, abortSignal });
        return 204;
      } catch (thrown) {
        return statusOf(thrown) ?? 0;
      }
    }).catch(() => 0);
    // 409: it is being removed already.
    if (status === 204 || status === 409 || (status === 404 && !mayAppear)) return true;
    if (Date.now() + delay > until) return status === 404;
    await sleep(delay, undefined, { ref: false });
  }
};
