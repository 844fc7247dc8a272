/** Schedules on a whole drover in this process: deployed, looked at, waited for. */
import type { RunRecord } from '../../src/domain/scheduled-bot.ts';
import type { ScheduleRequest } from '../../src/domain/schedule.ts';
import { referenceSchedule, type ScheduleChange } from './reference-document.ts';
import { until } from '../../scripts/until.ts';
import { asked, zipOf, type Spine } from './spine.ts';

/** Adds one to a number in its state, and tells slot and number. */
export const COUNTING = `
const fs = require('node:fs');
exports.main = async () => {
  const dir = process.env.STATE_DIR;
  fs.mkdirSync(dir, { recursive: true });
  const file = dir + '/count';
  const before = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
  fs.writeFileSync(file, String(before + 1));
  console.log('slot ' + process.env.SCHEDULED_AT + ' count ' + (before + 1));
};`;

export interface ScheduleSpine {
  /** Uploads code and puts a document for it. */
  deploy(id: string, change: ScheduleChange, code?: string): Promise<void>;
  put(id: string, document: unknown): Promise<void>;
  /** Changes the document that `deploy` put. */
  set(id: string, change: Partial<ScheduleChange>): Promise<void>;
  ask(
    id: string,
    request: Omit<ScheduleRequest, 'actor' | 'at' | 'reason'> & { readonly reason?: string },
  ): Promise<void>;
  remove(id: string): Promise<void>;
  document(id: string, change: ScheduleChange): Record<string, unknown>;
  /** The last line that the container of a run printed of its bot's own. */
  lastWords(run: RunRecord): string | undefined;
  runs(id: string): Promise<readonly RunRecord[]>;
  /** Waits until so many runs have ended; oldest first. */
  ended(id: string, count: number): Promise<readonly RunRecord[]>;
}

const TIMEOUT_MS = 120_000;

export const scheduleSpine = (spine: Spine): ScheduleSpine => {
  const documents = new Map<string, ScheduleChange>();
  const runs = async (id: string): Promise<readonly RunRecord[]> =>
    [...(await spine.drover.schedules.history.list(id, { limit: 1_000, all: true })).runs].reverse();
  const self: ScheduleSpine = {
    async deploy(id, change, code = COUNTING) {
      await spine.archives.putCode(`test/${id}/1.0.0`, zipOf({ 'main.js': code }));
      documents.set(id, change);
      await self.put(id, referenceSchedule(id, change));
    },
    async put(id, document) {
      await spine.stores.schedules.put(id, document, asked('apply'));
    },
    async set(id, change) {
      const next = { ...documents.get(id), ...change } as ScheduleChange;
      documents.set(id, next);
      await self.put(id, referenceSchedule(id, next));
    },
    ask: (id, request) =>
      spine.stores.schedules.addRequest(id, {
        reason: '',
        ...request,
        actor: 'test',
        at: Date.now(),
      } as ScheduleRequest),
    async remove(id) {
      await spine.stores.schedules.remove(id, asked('delete'));
    },
    document: referenceSchedule,
    lastWords({ log }) {
      const tails = spine.told.flatMap(({ botId, event }) =>
        botId === log.transitions && event.type === 'ContainerExited' ? event.logTail : [],
      );
      // What PID 1 says is JSON.
      return tails.filter((line) => line.trim() !== '' && !line.startsWith('{')).at(-1);
    },
    runs,
    async ended(id, count) {
      const look = async (): Promise<readonly RunRecord[] | undefined> => {
        const found = (await runs(id)).filter(({ endedAt }) => endedAt !== null);
        return found.length >= count ? found : undefined;
      };
      const otherwise = async (): Promise<string> =>
        `${id} has fewer than ${String(count)} ended runs: ${JSON.stringify(await runs(id))}`;
      return until(look, { within: TIMEOUT_MS, every: 50, otherwise });
    },
  };
  return self;
};
