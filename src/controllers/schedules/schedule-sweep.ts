/**
 * The tick over schedules: one read of all documents, and a wake for each schedule whose wish differs from its log or that is
 * due though no timer said so (feature D16: clocks jump). What a document means is remembered while its text is the same.
 */
import { createHash } from 'node:crypto';
import type { BotId } from '../../domain/bot.ts';
import { jsonText } from '../../domain/json-text.ts';
import type { DesiredSchedule, ScheduleRequest } from '../../domain/schedule.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import type { SpecDefaults } from '../../documents/bot-document.ts';
import { initialSchedule } from '../../machines/schedule/evolve-schedule.ts';
import { isAhead } from '../../machines/schedule/set-back.ts';
import { noteScheduleWish } from '../../machines/schedule/note-schedule-wish.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FleetRead, ScheduleStore, SpecRecord } from '../../ports/spec-store.ts';
import { isStop } from '../desire.ts';
import type { FleetCounters } from '../fleet-counters.ts';
import type { FoldStore } from '../fold-store.ts';
import type { FleetGuard } from '../removal-guard.ts';
import { requestCause } from '../request-cause.ts';
import type { Wake } from '../serial-per-key.ts';
import { desiredSchedule } from './schedule-desire.ts';

export interface ScheduleSweepDependencies {
  readonly schedules: ScheduleStore;
  readonly states: FoldStore<ScheduleState>;
  readonly guard: FleetGuard;
  readonly defaults: SpecDefaults;
  /** When each is due by itself, as last planned; absent: it was not looked at in this term. */
  readonly dueAt: ReadonlyMap<BotId, number | undefined>;
  readonly counters: Pick<FleetCounters, 'resynced'>;
  readonly clock: Clock;
  /** Told of each complete read. */
  readonly onRead: (read: FleetRead<ScheduleRequest>) => void;
}

/** Of a wish, only what is compared: the spec itself of ten thousand schedules would be much memory. */
type Summary =
  | Exclude<DesiredSchedule, { kind: 'spec' }>
  | { readonly kind: 'spec'; readonly hash: string; readonly enabled: boolean };

const createSummaries = (defaults: SpecDefaults) => {
  const known = new Map<BotId, { readonly text: string; readonly summary: Summary }>();
  return {
    of(record: SpecRecord<ScheduleRequest>): Summary {
      const text = createHash('sha1').update(jsonText(record.document)).digest('base64');
      const before = known.get(record.id);
      if (before?.text === text) return before.summary;
      const wish = desiredSchedule({ ...record, requests: [] }, defaults, false);
      const summary: Summary = wish.kind === 'spec' ? { kind: 'spec', hash: wish.hash, enabled: wish.enabled } : wish;
      known.set(record.id, { text, summary });
      return summary;
    },
    keep(ids: ReadonlySet<BotId>): void {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    },
  };
};

/** Would a turn write something about the wish? */
const differs = (
  state: ScheduleState,
  summary: Summary,
  record: SpecRecord<ScheduleRequest> | undefined,
  drained: boolean,
  now: number,
): boolean => {
  if (summary.kind !== 'spec') return noteScheduleWish(state, summary, now) !== undefined;
  const { context, at } = state;
  if (context.deleting) return false;
  if (context.incarnation === 0 || at === 'deleted' || context.specHash !== summary.hash) return true;
  if (context.rejected !== null || context.wanted !== (summary.enabled && !drained)) return true;
  return record?.requests.some(({ requestId }) => !context.requests.includes(requestId)) === true;
};

export const createScheduleSweep = (dependencies: ScheduleSweepDependencies) => {
  const { schedules, states, guard, defaults, dueAt, counters, clock, onRead } = dependencies;
  const summaries = createSummaries(defaults);

  return async (tick: number): Promise<readonly Wake[]> => {
    const read = await schedules.readFleet();
    onRead(read);
    const drained = read.drain !== undefined;
    const records = new Map(read.records.map((record) => [record.id, record]));
    const wishes = new Map(read.records.map((record) => [record.id, summaries.of(record)]));
    summaries.keep(new Set(records.keys()));
    const folds = states.folds();
    guard.judge(
      read,
      [...folds].filter(([, { state }]) => state.context.wanted).map(([id]) => id),
      (id) => {
        if (!isStop(wishes.get(id) ?? { kind: 'gone' })) return 'no';
        return records.get(id)?.asked === undefined ? 'unasked' : 'asked';
      },
    );
    const now = clock.now();
    const isDue = (id: BotId, { context, at }: ScheduleState): boolean => {
      if (context.incarnation === 0 || (at === 'deleted' && context.runs.length === 0)) return false;
      const due = dueAt.get(id);
      if (isAhead({ at, context }, now)) return true;
      return !dueAt.has(id) || (due !== undefined && due <= now);
    };
    const differing = [...new Set([...folds.keys(), ...records.keys()])].filter((id) => {
      if (states.isOutdated(id)) return true;
      const state = folds.get(id)?.state ?? initialSchedule;
      return differs(state, wishes.get(id) ?? { kind: 'gone' }, records.get(id), drained, now) || isDue(id, state);
    });
    counters.resynced(now);
    const fleetCause = read.drain && requestCause(read.drain);
    return differing.map((key) => ({ key, cause: fleetCause ?? { kind: 'tick', number: tick } }));
  };
};
