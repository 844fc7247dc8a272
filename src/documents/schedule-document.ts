/**
 * Documents of scheduled bots (contract §3), decoded: those of bots with `config.schedule`, and with our own settings for when
 * and how often it runs. Nothing a document holds can make this throw.
 */
import type { z } from 'zod';
import { parseSchedule } from '../domain/cron/parse-schedule.ts';
import { slipsOf } from '../domain/cron/remarks.ts';
import { knownZone } from '../domain/cron/time-zone.ts';
import type { Schedule } from '../domain/cron/schedule.ts';
import { DroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import { DEFAULT_BOUNDS } from '../domain/spec-bounds.ts';
import type { ScheduleSpec } from '../domain/schedule.ts';
import { DEFAULT_SCHEDULE_POLICY, type SchedulePolicy } from '../domain/schedule-policy.ts';
import {
  decodeBotDocument,
  invalidDocument,
  type DocumentFault,
  type InvalidDocument,
  type SpecDefaults,
} from './bot-document.ts';
import { excessOfSchedule } from './bounds.ts';
import { nearestName, slipsIn } from './nearest-name.ts';
import { parseSettings, readOwnSettings, scheduleSettings, type OwnSettings } from './own-settings.ts';
import { readableDocument } from './readable-document.ts';

export type DecodedSchedule =
  | {
      readonly kind: 'spec';
      readonly spec: ScheduleSpec;
      readonly enabled: boolean;
      /** As those of a bot. */
      readonly warnings: readonly DocumentFault[];
    }
  | InvalidDocument;

type Settings = z.infer<typeof scheduleSettings>;

const DAY_S = 86_400;
/** Tries of a run that fails at once must not follow one another without a pause. */
const SHORTEST_RETRY_MS = 100;
const ms = (value: number | undefined, fallbackMs: number): number =>
  value === undefined ? fallbackMs : Math.round(value * 1_000);

const policyOf = (own: Settings, defaults: SchedulePolicy): SchedulePolicy => {
  const startDeadlineMs =
    own.startDeadlineSeconds === undefined ? defaults.startDeadlineMs : ms(own.startDeadlineSeconds, 0);
  const maxRunMs = own.maxRunSeconds === undefined ? defaults.maxRunMs : ms(own.maxRunSeconds, 0);
  const maxLatenessMs = own.maxLatenessSeconds === undefined ? defaults.maxLatenessMs : ms(own.maxLatenessSeconds, 0);
  return {
    overlap: own.overlap ?? defaults.overlap,
    missed: own.missed ?? defaults.missed,
    missedCap: own.missedCap ?? defaults.missedCap,
    catchUpMs: ms(own.catchUpSeconds, defaults.catchUpMs),
    ...(startDeadlineMs === undefined ? {} : { startDeadlineMs }),
    ...(maxRunMs === undefined ? {} : { maxRunMs }),
    retries: own.retries ?? defaults.retries,
    retryFirstMs: Math.max(ms(own.retryFirstSeconds, defaults.retryFirstMs), SHORTEST_RETRY_MS),
    retryMaxMs: ms(own.retryMaxSeconds, defaults.retryMaxMs),
    jitterMs: ms(own.jitterSeconds, defaults.jitterMs),
    ...(maxLatenessMs === undefined ? {} : { maxLatenessMs }),
    pauseAfterFailures: own.pauseAfterFailures ?? defaults.pauseAfterFailures,
    keepSucceeded: own.keepSucceeded ?? defaults.keepSucceeded,
    keepFailed: own.keepFailed ?? defaults.keepFailed,
    keepMs: own.keepDays === undefined ? defaults.keepMs : ms(own.keepDays * DAY_S, 0),
  };
};

/** Why the zone of a document is none, at the place where it stands. */
const zoneFault = ({ timeZone }: Settings, own: OwnSettings): DocumentFault[] => {
  if (timeZone === undefined) return [];
  try {
    knownZone(timeZone);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof DroverError)) throw thrown;
    const nearest = nearestName(timeZone, Intl.supportedValuesOf('timeZone'), slipsIn);
    const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
    return [{ pointer: own.pointerOf('timeZone'), message: `${thrown.message}${hint}` }];
  }
};

const AT = '/config/schedule';

/** Its slots, or why there can be none. */
const cronOf = (text: unknown, { timeZone, dstGap }: Settings): Schedule | DocumentFault => {
  const pointer = AT;
  if (typeof text !== 'string') return { pointer, message: text === undefined ? 'is missing' : 'must be a string' };
  try {
    return parseSchedule(text, { timeZone, inGap: dstGap });
  } catch (thrown) {
    if (thrown instanceof DroverError) return { pointer, message: thrown.message };
    throw thrown;
  }
};

/** Decodes the document stored under `id`. Never throws. */
export const decodeScheduleDocument = (
  id: string,
  document: unknown,
  defaults: SpecDefaults,
  policy: SchedulePolicy = DEFAULT_SCHEDULE_POLICY,
): DecodedSchedule => {
  const decoded = decodeBotDocument(id, document, defaults, 'scheduled');
  if (decoded.kind === 'invalid') return decoded;
  const { enabled, warnings } = decoded;
  const readable = readableDocument(document);
  const plain = readable.kind === 'readable' ? readable.plain : undefined;
  const own = readOwnSettings(isObject(plain) ? plain : {}, 'scheduled');
  const ours = parseSettings(scheduleSettings, own);
  if (!('data' in ours)) return invalidDocument(enabled, ours.faults);
  const excess = excessOfSchedule(own, ours.data, defaults.bounds ?? DEFAULT_BOUNDS);
  if (excess !== undefined) return invalidDocument(enabled, excess.pointers, excess.code);
  const zone = zoneFault(ours.data, own);
  if (zone.length > 0) return invalidDocument(enabled, zone, 'SCHEDULE_INVALID');
  const cron = cronOf(decoded.spec.config['schedule'], ours.data);
  if ('pointer' in cron) return invalidDocument(enabled, [cron], 'SCHEDULE_INVALID');
  return {
    kind: 'spec',
    spec: { bot: decoded.spec, cron, policy: policyOf(ours.data, policy) },
    enabled,
    warnings: [...warnings, ...slipsOf(cron.text).map((message) => ({ pointer: AT, message }))],
  };
};
