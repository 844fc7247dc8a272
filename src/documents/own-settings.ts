/** Settings of ours in a document: `drover` at its root and in its `config`. A key that nobody knows is refused. */
import { z } from 'zod';
import { RESTART_POLICIES } from '../domain/bot.ts';
import { isObject } from '../domain/json.ts';
import { MISSED_POLICIES, OVERLAP_POLICIES } from '../domain/schedule-policy.ts';
import { plainError, pointerOf, unknownKey, type DocumentFault } from './faults.ts';

/** Fields below `drover`. `docs/reference/bot-yaml.md` lists them. */
export const botSettings = z.object({
  restartPolicy: z.enum(RESTART_POLICIES).optional(),
  stopHookSeconds: z.number().min(0).max(3_600).optional(),
  stopGraceSeconds: z.number().min(0).max(3_600).optional(),
  finalSyncSeconds: z.number().min(1).max(3_600).optional(),
  memoryMb: z.int().min(16).max(1_048_576).optional(),
  cpuShares: z.int().min(2).max(262_144).optional(),
  pids: z.int().min(8).max(32_768).optional(),
  image: z.string().min(1).max(500).optional(),
});

const YEAR_S = 366 * 86_400;
const seconds = z.number().min(0).max(YEAR_S);
const count = z.int().min(0).max(100_000);

/** Fields below `drover` that only schedules have. `docs/reference/schedule-yaml.md` lists them. */
export const scheduleSettings = z.object({
  timeZone: z.string().min(1).max(100).optional(),
  dstGap: z.enum(['run', 'skip']).optional(),
  overlap: z.enum(OVERLAP_POLICIES).optional(),
  missed: z.enum(MISSED_POLICIES).optional(),
  missedCap: z.int().min(1).max(200).optional(),
  catchUpSeconds: seconds.optional(),
  startDeadlineSeconds: seconds.optional(),
  maxRunSeconds: seconds.min(1).optional(),
  retries: z.int().min(0).max(100).optional(),
  retryFirstSeconds: seconds.optional(),
  retryMaxSeconds: seconds.optional(),
  jitterSeconds: z.number().min(0).max(86_400).optional(),
  maxLatenessSeconds: seconds.optional(),
  pauseAfterFailures: count.optional(),
  keepSucceeded: count.optional(),
  keepFailed: count.optional(),
  keepDays: z.number().min(1).max(3_660).optional(),
});

export type BotKind = 'realtime' | 'scheduled';

const BOT_NAMES: readonly string[] = Object.keys(botSettings.shape);
const SCHEDULE_NAMES: readonly string[] = Object.keys(scheduleSettings.shape);
/** Names of all settings of ours. */
export const SETTING_NAMES: readonly string[] = [...BOT_NAMES, ...SCHEDULE_NAMES];

const KNOWN: Readonly<Record<BotKind, readonly string[]>> = { realtime: BOT_NAMES, scheduled: SETTING_NAMES };

const PLACES = ['/config/drover', '/drover'] as const;

export interface OwnSettings {
  /** `drover` at the root wins over `config.drover`, field by field. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where the value of a field stands, as a JSON pointer. */
  readonly pointerOf: (name: string) => string;
  /** Unknown keys, and places that hold no object. */
  readonly faults: readonly DocumentFault[];
}

const faultOfKey = (at: string, key: string, kind: BotKind): DocumentFault[] => {
  if (KNOWN[kind].includes(key)) return [];
  const message = SCHEDULE_NAMES.includes(key)
    ? 'is a setting of scheduled bots, and this bot is realtime'
    : unknownKey(key, KNOWN[kind]);
  return [{ pointer: pointerOf(at, [key]), message }];
};

/** What a document of this kind says to us. Never throws. */
export const readOwnSettings = (document: Readonly<Record<string, unknown>>, kind: BotKind): OwnSettings => {
  const config = isObject(document['config']) ? document['config'] : {};
  const found = [config['drover'], document['drover']];
  const values: Record<string, unknown> = {};
  const places = new Map<string, string>();
  const faults: DocumentFault[] = [];
  for (const [n, at] of PLACES.entries()) {
    const place = found[n];
    // `drover:` with nothing below it, or with comments alone.
    if (place === undefined || place === null) continue;
    if (!isObject(place)) {
      faults.push({ pointer: at, message: 'must be an object' });
      continue;
    }
    for (const [key, value] of Object.entries(place)) {
      faults.push(...faultOfKey(at, key, kind));
      Object.defineProperty(values, key, { value, enumerable: true, configurable: true, writable: true });
      places.set(key, at);
    }
  }
  return { values, faults, pointerOf: (name) => pointerOf(places.get(name) ?? '/drover', [name]) };
};

/** The values of one schema, or what is wrong with them. */
export const parseSettings = <S extends z.ZodObject>(
  schema: S,
  own: OwnSettings,
): { readonly data: z.output<S> } | { readonly faults: readonly DocumentFault[] } => {
  const parsed = schema.safeParse(own.values, { error: plainError });
  if (parsed.success) return { data: parsed.data };
  return {
    faults: parsed.error.issues.map(({ path, message }) => ({
      pointer: own.pointerOf(String(path[0] ?? '')),
      message,
    })),
  };
};
