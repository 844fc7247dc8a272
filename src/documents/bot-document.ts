/**
 * Documents of contract §3, decoded. Unknown fields are ignored, the user's config passes untouched, and every fault
 * names a JSON pointer. Nothing a document holds can make this throw.
 */
import { z } from 'zod';
import { RESTART_POLICIES, RUNTIMES, type BotLimits, type BotSpec, type RestartPolicy } from '../domain/bot.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { isObject, type JsonObject } from '../domain/json.ts';
import { botIdFault } from '../domain/naming.ts';
import { isEnabled } from './is-enabled.ts';

/** What the operator's settings give a bot whose document does not say otherwise. */
export interface SpecDefaults {
  readonly image: string;
  readonly limits: BotLimits;
  readonly stopHookMs: number;
  readonly stopGraceMs: number;
  readonly finalSyncMs: number;
  readonly restartPolicy: RestartPolicy;
}

export interface DocumentFault {
  readonly pointer: string;
  readonly message: string;
}

export interface InvalidDocument {
  readonly kind: 'invalid';
  readonly code: ErrorCode;
  readonly reason: string;
  /** What it says clearly counts, also where it is broken elsewhere. */
  readonly enabled: boolean | undefined;
  readonly pointers: readonly DocumentFault[];
}

export type Decoded = { readonly kind: 'spec'; readonly spec: BotSpec; readonly enabled: boolean } | InvalidDocument;

export const invalidDocument = (
  enabled: boolean | undefined,
  pointers: readonly DocumentFault[],
  code: ErrorCode = 'DOCUMENT_INVALID',
): InvalidDocument => ({
  kind: 'invalid',
  code,
  reason: pointers
    .map(({ pointer, message }) => `${pointer}: ${message}`)
    .join('; ')
    .slice(0, 500),
  enabled,
  pointers,
});

const relativePath = z
  .string()
  .min(1, 'is empty')
  .max(1_024, 'is longer than 1024 characters')
  .refine((path) => !/[\\\0]/.test(path), 'contains a backslash or NUL')
  .refine(
    (path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'must be a relative path without empty, `.` or `..` segments',
  );

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

const shape = z.object({
  id: z.string(),
  config: z.custom<JsonObject>(isObject, 'must be an object'),
  custom: z.object({
    version: z.string().min(1).max(200),
    filePath: relativePath,
    config: z.object({
      runtime: z.enum(RUNTIMES, { error: `must be one of ${RUNTIMES.join(', ')}` }),
      type: z.string().optional(),
      entrypoints: z.object({ bot: relativePath, query: relativePath.optional(), stop: relativePath.optional() }),
    }),
  }),
});

export const toFaults = (error: z.ZodError, at: string): DocumentFault[] =>
  error.issues.map(({ path, message }) => ({
    pointer: `${at}/${path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
    message,
  }));

/** Settings of ours: `drover` at the root wins over `config.drover`, field by field. What is no object stays what it is. */
export const ownSettings = (document: Record<string, unknown>): unknown => {
  const inConfig = isObject(document['config']) ? document['config']['drover'] : undefined;
  const atRoot = document['drover'];
  const wrong = [inConfig, atRoot].find((value) => value !== undefined && !isObject(value));
  return wrong ?? { ...(isObject(inConfig) ? inConfig : {}), ...(isObject(atRoot) ? atRoot : {}) };
};

export type BotKind = 'realtime' | 'scheduled';
const SERVICE = { realtime: 'BotService', scheduled: 'ScheduleService' } as const;

/** A document says twice what kind of bot it is; neither may be the other kind (contract §2.1). */
const ofOtherKind = (kind: BotKind, config: JsonObject, type: string | undefined): DocumentFault[] => {
  const other = kind === 'realtime' ? 'scheduled' : 'realtime';
  const message = `is ${other}: ${SERVICE[other]} runs such bots`;
  return [
    ...(typeof config['type'] === 'string' && config['type'].startsWith(`${other}/`)
      ? [{ pointer: '/config/type', message }]
      : []),
    ...(type === other ? [{ pointer: '/custom/config/type', message }] : []),
  ];
};

const inMs = (seconds: number | undefined, fallbackMs: number): number =>
  seconds === undefined ? fallbackMs : seconds * 1_000;

/** Decodes the document stored under `id`. Never throws. */
export const decodeBotDocument = (
  id: string,
  document: unknown,
  defaults: SpecDefaults,
  kind: BotKind = 'realtime',
): Decoded => {
  const enabled = isEnabled(document);
  const refuse = (pointers: readonly DocumentFault[], code?: ErrorCode): Decoded =>
    invalidDocument(enabled, pointers, code);
  const fault = botIdFault(id);
  if (fault !== undefined) return refuse([{ pointer: '/id', message: fault }], 'BOT_ID_INVALID');
  if (!isObject(document)) return refuse([{ pointer: '', message: 'must be an object' }]);
  const parsed = shape.safeParse(document);
  const ours = botSettings.safeParse(ownSettings(document));
  if (!parsed.success || !ours.success) {
    return refuse([
      ...(parsed.error === undefined ? [] : toFaults(parsed.error, '')),
      ...(ours.error === undefined ? [] : toFaults(ours.error, '/drover')),
    ]);
  }
  const { config, custom } = parsed.data;
  const faults = [
    ...(parsed.data.id === id
      ? []
      : [{ pointer: '/id', message: 'differs from the id under which the document is stored' }]),
    ...ofOtherKind(kind, config, custom.config.type),
  ];
  if (faults.length > 0) return refuse(faults);
  const own = ours.data;
  const { query, stop } = custom.config.entrypoints;
  const spec: BotSpec = {
    id,
    config,
    code: { filePath: custom.filePath, version: custom.version },
    runtime: custom.config.runtime,
    entrypoints: {
      bot: custom.config.entrypoints.bot,
      ...(query === undefined ? {} : { query }),
      ...(stop === undefined ? {} : { stop }),
    },
    image: own.image ?? defaults.image,
    limits: {
      memoryMb: own.memoryMb ?? defaults.limits.memoryMb,
      cpuShares: own.cpuShares ?? defaults.limits.cpuShares,
      pids: own.pids ?? defaults.limits.pids,
    },
    restartPolicy: own.restartPolicy ?? defaults.restartPolicy,
    stopHookMs: inMs(own.stopHookSeconds, defaults.stopHookMs),
    stopGraceMs: inMs(own.stopGraceSeconds, defaults.stopGraceMs),
    finalSyncMs: inMs(own.finalSyncSeconds, defaults.finalSyncMs),
  };
  return { kind: 'spec', spec, enabled: enabled ?? true };
};
