/** `drover takeover`: the predecessor's containers of our bots are stopped, gracefully, and drover starts the bots. */
import { isEnabled } from '../documents/is-enabled.ts';
import { DroverError } from '../domain/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { Predecessor, Takeover } from '../ports/predecessor.ts';
import type { SpecRecord, SpecStore } from '../ports/spec-store.ts';
import type { Leader } from './leader.ts';

export interface TakeoverOptions {
  readonly predecessor: Predecessor;
  readonly specs: SpecStore;
  /** @throws DroverError LEASE_LOST */
  readonly inTerm: Leader['inTerm'];
  /** Look at the fleet soon. */
  readonly onTaken: () => void;
  readonly logger: Logger;
}

/** What the predecessor itself gives its bots (contract §9.1). */
const GRACE_MS = 30_000;

/** A container of the0 whose bot would not run here is left alone: nothing would take its place. */
const runsHere = ({ document }: Pick<SpecRecord, 'document'>): boolean => isEnabled(document) === true;

export const createTakeover = ({ predecessor, specs, inTerm, onTaken, logger }: TakeoverOptions): Takeover => ({
  async look() {
    const [found, { records }] = await Promise.all([predecessor.list(), specs.readFleet()]);
    const known = new Set(records.filter(runsHere).map(({ id }) => id));
    const ofThe0 = found.filter(({ install }) => install === undefined);
    return {
      ours: ofThe0.filter(({ botId }) => known.has(botId)),
      strangers: ofThe0.filter(({ botId }) => !known.has(botId)),
      installs: found.filter(({ botId, install }) => install !== undefined && known.has(botId)),
    };
  },
  take: async (botId, from) =>
    inTerm(async () => {
      if ((await specs.readFleet()).drain !== undefined) {
        throw new DroverError('REQUEST_INVALID', 'the fleet is drained: run `drover drain --undo` before the takeover');
      }
      const record = await specs.read(botId);
      if (record === undefined || record.document === null) {
        const message = `there is no bot ${JSON.stringify(botId)}: its containers are not stopped`;
        throw new DroverError('BOT_NOT_FOUND', message);
      }
      if (!runsHere(record)) {
        const message = `the bot ${JSON.stringify(botId)} is disabled: its containers are not stopped`;
        throw new DroverError('REQUEST_INVALID', message);
      }
      const found = await predecessor.list();
      const containers = found.filter((one) => one.botId === botId && one.install === from);
      for (const { container, name } of containers) {
        const of = from === undefined ? 'the0' : `install ${from}`;
        logger.warn('stopping a container of another runner', { bot: botId, of, container, name });
        await predecessor.stop(container, GRACE_MS);
      }
      onTaken();
      return containers;
    }),
});
