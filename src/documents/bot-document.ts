/**
 * Documents of contract §3, decoded. The user's config passes untouched, every fault names a JSON pointer, and a key that is
 * nearly ours is told. Nothing a document holds can make this throw.
 */
import { z } from 'zod';
import { RUNTIMES, type BotLimits, type BotSpec, type RestartPolicy, type Runtime } from '../domain/bot.ts';
import { maxConfigBytes } from '../domain/config-size.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { DEFAULT_BOUNDS, type SpecBounds } from '../domain/spec-bounds.ts';
import { isObject, type JsonObject } from '../domain/json.ts';
import { jsonText } from '../domain/json-text.ts';
import { botIdFault } from '../domain/naming.ts';
import { excessOf } from './bounds.ts';
import { plainError, toFaults, type DocumentFault } from './faults.ts';
import { readEnabled } from './is-enabled.ts';
import { misspeltKeys } from './misspelt-keys.ts';
import { botSettings, parseSettings, readOwnSettings, type BotKind } from './own-settings.ts';
import { readableDocument } from './readable-document.ts';

export type { DocumentFault } from './faults.ts';
export type { BotKind } from './own-settings.ts';

/** What the operator's settings give a bot whose document does not say otherwise. */
export interface SpecDefaults {
  readonly image: string;
  readonly limits: BotLimits;
  readonly stopHookMs: number;
  readonly stopGraceMs: number;
  readonly finalSyncMs: number;
  readonly restartPolicy: RestartPolicy;
  /** What a document may set at most; those of the settings' defaults when it is not given. */
  readonly bounds?: SpecBounds;
}

export interface InvalidDocument {
  readonly kind: 'invalid';
  readonly code: ErrorCode;
  readonly reason: string;
  /** What it says clearly counts, also where it is broken elsewhere. */
  readonly enabled: boolean | undefined;
  readonly pointers: readonly DocumentFault[];
}

export type Decoded =
  | {
      readonly kind: 'spec';
      readonly spec: BotSpec;
      readonly enabled: boolean;
      /** What is probably not meant as it is read. A person's document is refused for it; another program's counts, and it is told. */
      readonly warnings: readonly DocumentFault[];
    }
  | InvalidDocument;

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

const shape = z.object({
  id: z.string(),
  config: z.custom<JsonObject>(isObject, 'must be an object'),
  custom: z.object({
    version: z.string().min(1).max(200),
    filePath: relativePath,
    config: z.object({
      runtime: z.enum(RUNTIMES),
      type: z.string().optional(),
      entrypoints: z.object({ bot: relativePath, query: relativePath.optional(), stop: relativePath.optional() }),
    }),
  }),
});

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

/** Measured as the bot gets it. */
const sizeFault = (config: JsonObject, runtime: Runtime): DocumentFault[] => {
  const most = maxConfigBytes(runtime);
  const size = Buffer.byteLength(jsonText(config));
  if (size <= most) return [];
  const message = `has ${String(size)} bytes as JSON, and a bot of the runtime ${runtime} can get at most ${String(most)}`;
  return [{ pointer: '/config', message }];
};

const inMs = (seconds: number | undefined, fallbackMs: number): number =>
  seconds === undefined ? fallbackMs : seconds * 1_000;

/** `written`: the document as it was written; of `document` all numbers are doubles. */
const decodePlain = (
  id: string,
  document: unknown,
  written: unknown,
  defaults: SpecDefaults,
  kind: BotKind,
): Decoded => {
  const { enabled, warnings, faults: unclear } = readEnabled(document);
  const refuse = (pointers: readonly DocumentFault[], code?: ErrorCode): Decoded =>
    invalidDocument(enabled, pointers, code);
  const fault = botIdFault(id);
  if (fault !== undefined) return refuse([{ pointer: '/id', message: fault }], 'BOT_ID_INVALID');
  if (!isObject(document)) return refuse([{ pointer: '', message: 'must be an object' }]);
  const parsed = shape.safeParse(document, { error: plainError });
  const own = readOwnSettings(document, kind);
  const ours = parseSettings(botSettings, own);
  const misspelt = misspeltKeys(document);
  if (!parsed.success || !('data' in ours) || own.faults.length > 0 || unclear.length > 0) {
    return refuse([
      ...unclear,
      ...(parsed.error === undefined ? [] : toFaults(parsed.error, '')),
      ...own.faults,
      ...('data' in ours ? [] : ours.faults),
      // A field that is missing is often one that is misspelt.
      ...misspelt,
    ]);
  }
  const { custom } = parsed.data;
  const config = (isObject(written) ? written['config'] : undefined) as JsonObject;
  const faults = [
    ...(parsed.data.id === id
      ? []
      : [{ pointer: '/id', message: 'differs from the id under which the document is stored' }]),
    ...ofOtherKind(kind, config, custom.config.type),
    ...sizeFault(config, custom.config.runtime),
  ];
  if (faults.length > 0) return refuse(faults);
  const { data: given } = ours;
  const excess = excessOf(own, given, defaults, defaults.bounds ?? DEFAULT_BOUNDS);
  if (excess !== undefined) return refuse(excess.pointers, excess.code);
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
    image: given.image ?? defaults.image,
    limits: {
      memoryMb: given.memoryMb ?? defaults.limits.memoryMb,
      cpuShares: given.cpuShares ?? defaults.limits.cpuShares,
      pids: given.pids ?? defaults.limits.pids,
    },
    restartPolicy: given.restartPolicy ?? defaults.restartPolicy,
    stopHookMs: inMs(given.stopHookSeconds, defaults.stopHookMs),
    stopGraceMs: inMs(given.stopGraceSeconds, defaults.stopGraceMs),
    finalSyncMs: inMs(given.finalSyncSeconds, defaults.finalSyncMs),
  };
  return { kind: 'spec', spec, enabled: enabled ?? true, warnings: [...warnings, ...misspelt] };
};

/** Decodes the document stored under `id`; the config keeps what was written, to the digit. Never throws. */
export const decodeBotDocument = (
  id: string,
  document: unknown,
  defaults: SpecDefaults,
  kind: BotKind = 'realtime',
): Decoded => {
  const readable = readableDocument(document);
  if (readable.kind === 'fault') return invalidDocument(readEnabled(document).enabled, [readable.fault]);
  try {
    return decodePlain(id, readable.plain, document, defaults, kind);
  } catch (thrown) {
    // A defect of ours must not stop the others: each document is decoded for itself.
    const message = `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    return invalidDocument(undefined, [{ pointer: '', message }]);
  }
};
