/** What a bot left on its volume alone, stored by a short-lived container of ours (fault R11). */
import type { BotId } from '../domain/bot.ts';
import type { Effect } from '../domain/effect.ts';
import { DroverError, isErrorCode } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import type { SnapshotId } from '../domain/sync-report.ts';
import type { ContainerTools } from '../ports/container-tools.ts';

type Loose = Readonly<Record<string, unknown>>;

/** `daemon sync --final` says its report as the last line of its output. */
const reportIn = (output: string): Loose | undefined => {
  try {
    const parsed: unknown = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
};

const snapshotIn = (report: Loose | undefined): SnapshotId | undefined => {
  const snapshot = isObject(report?.['state']) ? report['state']['snapshot'] : undefined;
  if (!isObject(snapshot)) return undefined;
  const { attempt, sequence } = snapshot;
  return Number.isInteger(attempt) && Number.isInteger(sequence)
    ? { attempt: attempt as number, sequence: sequence as number }
    : undefined;
};

const faultIn = (report: Loose | undefined): DroverError | undefined => {
  for (const part of [report?.['state'], report?.['logs']]) {
    const error = isObject(part) ? part['error'] : undefined;
    if (!isObject(error) || typeof error['code'] !== 'string' || !isErrorCode(error['code'])) continue;
    return new DroverError(error['code'], String(error['detail']));
  }
  return undefined;
};

/** Resolves with the newest snapshot, if any. @throws DroverError as the tool reports it, STATE_UNSYNCED without a report */
export const syncFromVolume = async (
  tools: ContainerTools,
  botId: BotId,
  { incarnation, attempt, image, timeoutMs, readsOnly }: Extract<Effect, { type: 'EnsureSynced' }>,
): Promise<SnapshotId | undefined> => {
  const args = ['daemon', 'sync', '--final'];
  const { code, output, complaints } = await tools.runTool({
    botId,
    incarnation,
    attempt,
    image,
    args,
    timeoutMs,
    ...(readsOnly === undefined ? {} : { readsOnly }),
  });
  const report = reportIn(output);
  if (code === 0) return snapshotIn(report);
  const why = `the sync from the volume ended with exit code ${String(code)}: ${complaints.slice(-500)}`;
  throw faultIn(report) ?? new DroverError('STATE_UNSYNCED', why);
};
