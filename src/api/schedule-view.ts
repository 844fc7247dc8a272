/** A schedule as the API shows it: wish and state side by side, what its text means, and when it runs next. */
import { decodeScheduleDocument } from '../documents/schedule-document.ts';
import type { SpecDefaults } from '../documents/bot-document.ts';
import { slotsBetween } from '../domain/cron/slots-between.ts';
import { isObject } from '../domain/json.ts';
import type { ScheduledBot } from '../domain/scheduled-bot.ts';
import type { ScheduleRequest, ScheduleSpec } from '../domain/schedule.ts';
import type { ScheduleReaders } from '../ports/schedule-view.ts';
import type { SpecRecord } from '../ports/spec-store.ts';
import { mask, maskDocument, notSeenYet, withSpecClear } from './bot-view.ts';

type Record = SpecRecord<ScheduleRequest>;

const iso = (at: number): string => new Date(at).toISOString();

/** How many future runs are echoed (feature D1). */
const NEXT = 5;
/** 29 February may be eight years away, five times. */
const FAR_MS = 45 * 366 * 86_400_000;

/** What a text means, in words that a person can check. */
export const meaningOf = ({ cron, bot }: ScheduleSpec) => {
  const text = bot.config['schedule'];
  return cron.kind === 'every'
    ? { text, kind: 'every', everySeconds: cron.everyMs / 1_000 }
    : {
        text,
        kind: 'cron',
        timeZone: cron.timeZone,
        hours:
          cron.hours === 'fixed' ? 'fixed times: each at most once on a day when the clock changes' : 'elapsed time',
        dstGap: cron.inGap,
      };
};

/** What a document makes of the beat of `@every`, ms; undefined for other texts and for what cannot be read. */
export const beatOf = (id: string, document: unknown, defaults: SpecDefaults): number | undefined => {
  const decoded = decodeScheduleDocument(id, document, defaults);
  return decoded.kind === 'spec' && decoded.spec.cron.kind === 'every' ? decoded.spec.cron.everyMs : undefined;
};

/**
 * The next instants from `now` on, ISO. `isNew`: the log does not know this beat of `@every` yet, so it is counted from now,
 * as the log will: to the second, no better.
 */
export const nextTimes = async (
  { preview }: ScheduleReaders,
  { bot: { id }, cron }: ScheduleSpec,
  now: number,
  isNew: boolean,
): Promise<readonly string[]> => {
  const to = now + FAR_MS;
  const { times } = await preview.read({ id, from: now, to, limit: NEXT });
  const [first] = times;
  if (!isNew || cron.kind !== 'every' || first === undefined) return times.map(({ dueAt }) => iso(dueAt));
  const offset = first.dueAt - first.slot;
  const beginning = { ...cron, anchorAt: Math.floor(now / 1_000) * 1_000 };
  return slotsBetween(beginning, now, to, NEXT).slots.map((slot) => iso(slot + offset));
};

/** One that ScheduleService has not looked at yet. */
const unseen = (scheduleId: string, invalid: string | undefined): ScheduledBot => ({
  scheduleId,
  state: 'disabled',
  wanted: false,
  generation: 0,
  cron: null,
  nextAt: null,
  paused: null,
  runs: [],
  lastRun: null,
  listed: { succeeded: 0, failed: 0 },
  failuresInRow: 0,
  conditions: [notSeenYet('ScheduleService', invalid)],
  version: 0,
});

interface Known {
  readonly known: ScheduledBot | undefined;
  readonly readers: ScheduleReaders;
}

const describe = (id: string, record: Record | undefined, { known, readers }: Known, defaults: SpecDefaults) => {
  const document = record?.document ?? null;
  const decoded = document === null ? undefined : decodeScheduleDocument(id, document, defaults);
  const spec = decoded?.kind === 'spec' ? decoded.spec : undefined;
  const config = isObject(document) && isObject(document['config']) ? document['config'] : {};
  const state = known ?? unseen(id, decoded?.kind === 'invalid' ? decoded.reason : undefined);
  const going = state.runs.filter(({ begunAt }) => begunAt !== null).length;
  const schedule = typeof config['schedule'] === 'string' ? config['schedule'] : null;
  const planned =
    state.nextAt === null && state.state === 'armed' && spec !== undefined ? readers.view.nextOf(spec) : null;
  return {
    spec,
    shown: {
      ...state,
      conditions: withSpecClear(state.conditions, decoded?.kind === 'spec' ? decoded.warnings : []),
      // As its user wrote it; `meaning` says what that is for drover.
      cron: schedule ?? state.cron,
      nextAt: state.nextAt ?? planned ?? null,
      going,
      waiting: state.runs.length - going,
      enabled: decoded?.enabled ?? null,
      schedule,
      specVersion: spec?.bot.code.version ?? null,
      runtime: spec?.bot.runtime ?? null,
    },
  };
};

/** Every schedule with a document, and every one that still exists without. */
export const listSchedules = (records: readonly Record[], readers: ScheduleReaders, defaults: SpecDefaults) => {
  const known = new Map(readers.view.list().map((one) => [one.scheduleId, one]));
  const documents = new Map(records.filter(({ document }) => document !== null).map((record) => [record.id, record]));
  return [...new Set([...known.keys(), ...documents.keys()])]
    .sort()
    .map((id) => describe(id, documents.get(id), { known: known.get(id), readers }, defaults).shown);
};

/** One with its document, effective spec, meaning and next runs; undefined when nothing is known of it. */
export const showSchedule = async (options: {
  readonly id: string;
  readonly record: Record | undefined;
  readonly readers: ScheduleReaders;
  readonly defaults: SpecDefaults;
  readonly secrets: boolean;
  readonly now: number;
}) => {
  const { id, record, readers, defaults, secrets, now } = options;
  const known = readers.view.get(id);
  if (record === undefined && known === undefined) return undefined;
  const { spec, shown } = describe(id, record, { known, readers }, defaults);
  const document = record?.document ?? null;
  const effective = spec === undefined ? null : secrets ? spec.bot : { ...spec.bot, config: mask(spec.bot.config) };
  return {
    ...shown,
    document: secrets ? document : maskDocument(document),
    effective,
    policy: spec?.policy ?? null,
    meaning: spec === undefined ? null : meaningOf(spec),
    next: spec === undefined ? [] : await nextTimes(readers, spec, now, known === undefined),
  };
};
