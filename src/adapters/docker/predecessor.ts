/** Bots that others run on this engine: the0 (contract §5), and other installs of drover. */
import type Docker from 'dockerode';
import { LABEL } from '../../domain/naming.ts';
import type { Predecessor } from '../../ports/predecessor.ts';
import { doneAlso, toEngineError } from './docker-errors.ts';

const ANSWER_MS = 10_000;

/** `mayAct` is asked before each stop. */
export const createPredecessor = (docker: Docker, own: string, mayAct: () => void): Predecessor => ({
  async list() {
    try {
      const found = await docker.listContainers({
        filters: {
          label: [`${LABEL.managed}=true`, `${LABEL.type}=realtime`],
          status: ['running', 'paused', 'restarting'],
        },
        abortSignal: AbortSignal.timeout(ANSWER_MS),
      });
      return found.flatMap(({ Id, Names, Image, Created, Labels }) => {
        const { [LABEL.id]: botId, [LABEL.install]: install, [LABEL.role]: role } = Labels;
        if (botId === undefined || install === own || (install !== undefined && role !== 'bot')) return [];
        const name = Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12);
        const found = { botId, container: Id, name, image: Image, createdAt: Created * 1_000 };
        return [install === undefined ? found : { ...found, install }];
      });
    } catch (thrown) {
      throw toEngineError(thrown);
    }
  },
  async stop(id, graceMs) {
    const container = docker.getContainer(id);
    const abortSignal = AbortSignal.timeout(graceMs + 3 * ANSWER_MS);
    mayAct();
    // A frozen process hears no signal; one that is not frozen refuses this, and that is well.
    await doneAlso([404, 409, 500], () => container.unpause({ abortSignal }));
    mayAct();
    await doneAlso([304, 404], () => container.stop({ t: Math.ceil(graceMs / 1_000), abortSignal }));
  },
});
