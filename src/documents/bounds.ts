/** What a document sets beyond what the operator allows. */
import type { ErrorCode } from '../domain/errors.ts';
import { allowsImage, type SpecBounds } from '../domain/spec-bounds.ts';
import type { DocumentFault } from './faults.ts';
import type { OwnSettings } from './own-settings.ts';

export interface Excess {
  readonly code: ErrorCode;
  readonly pointers: readonly DocumentFault[];
}

interface Ceiling {
  readonly field: string;
  readonly most: number;
  readonly setting: string;
}

/** `given`: what the document sets. */
const over = (
  settings: OwnSettings,
  given: Readonly<Record<string, unknown>>,
  ceilings: readonly Ceiling[],
): readonly DocumentFault[] =>
  ceilings.flatMap(({ field, most, setting }) => {
    const value = given[field];
    return typeof value !== 'number' || value <= most
      ? []
      : [{ pointer: settings.pointerOf(field), message: `must be at most ${String(most)} (${setting})` }];
  });

/** What the operator gives a bot that sets nothing, which is never too much. */
interface OperatorsOwn {
  readonly image: string;
  readonly limits: { readonly memoryMb: number; readonly cpuShares: number; readonly pids: number };
  readonly stopHookMs: number;
  readonly stopGraceMs: number;
  readonly finalSyncMs: number;
}

/** Undefined when a bot sets nothing that is too much. */
export const excessOf = (
  settings: OwnSettings,
  given: Readonly<Record<string, unknown>>,
  own: OperatorsOwn,
  bounds: SpecBounds,
): Excess | undefined => {
  const { image } = given;
  if (typeof image === 'string' && !allowsImage(bounds, own.image, image)) {
    const message = `is not allowed: the operator allows ${[own.image, ...bounds.images].join(', ')} (BOT_IMAGES_ALLOWED)`;
    return { code: 'IMAGE_NOT_ALLOWED', pointers: [{ pointer: settings.pointerOf('image'), message }] };
  }
  const { limits } = own;
  const seconds = (ms: number): number => Math.max(bounds.stopMs, ms) / 1_000;
  const pointers = over(settings, given, [
    { field: 'memoryMb', most: Math.max(bounds.memoryMb, limits.memoryMb), setting: 'BOT_MAX_MEMORY_MB' },
    { field: 'cpuShares', most: Math.max(bounds.cpuShares, limits.cpuShares), setting: 'BOT_MAX_CPU_SHARES' },
    { field: 'pids', most: Math.max(bounds.pids, limits.pids), setting: 'BOT_MAX_PIDS' },
    { field: 'stopHookSeconds', most: seconds(own.stopHookMs), setting: 'BOT_MAX_STOP' },
    { field: 'stopGraceSeconds', most: seconds(own.stopGraceMs), setting: 'BOT_MAX_STOP' },
    { field: 'finalSyncSeconds', most: seconds(own.finalSyncMs), setting: 'BOT_MAX_STOP' },
  ]);
  return pointers.length === 0 ? undefined : { code: 'LIMIT_TOO_HIGH', pointers };
};

/** The same for what only schedules have. */
export const excessOfSchedule = (
  settings: OwnSettings,
  given: Readonly<Record<string, unknown>>,
  bounds: SpecBounds,
): Excess | undefined => {
  const pointers = over(settings, given, [{ field: 'retries', most: bounds.retries, setting: 'BOT_MAX_RETRIES' }]);
  return pointers.length === 0 ? undefined : { code: 'LIMIT_TOO_HIGH', pointers };
};
