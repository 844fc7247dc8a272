/** A job asked of the transfer process, and its answer as part of the report. */
import type { ReportedError } from '../../domain/sync-report.ts';
import type { TransferClient } from '../transfer/client.ts';
import type { TransferResult } from '../transfer/jobs.ts';
import type { Report } from './report.ts';

const errorOf = (result: TransferResult): ReportedError =>
  result.kind === 'failed' ? result.error : { code: 'INTERNAL', detail: `unexpected answer of kind ${result.kind}` };

/** True: all state is stored. What was known before a failure (the newest snapshot) stays in the report. */
export const syncState = async (
  client: TransferClient,
  report: Report,
  final: boolean,
  timeoutMs: number,
): Promise<boolean> => {
  const result = await client.ask({ kind: 'state', final }, timeoutMs);
  if (result.kind === 'state') {
    report.update({ state: result.report });
    return result.report.status === 'synced';
  }
  const { snapshot, at, overLimit } = report.current().state;
  report.update({
    state: {
      status: 'failing',
      error: errorOf(result),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(at === undefined ? {} : { at }),
      ...(overLimit === undefined ? {} : { overLimit }),
    },
  });
  return false;
};

/** True: all lines are shipped. */
export const shipLogs = async (
  client: TransferClient,
  report: Report,
  final: boolean,
  timeoutMs: number,
): Promise<boolean> => {
  const result = await client.ask({ kind: 'logs', final }, timeoutMs);
  if (result.kind === 'logs') {
    report.update({ logs: result.report });
    return result.report.status === 'shipped';
  }
  const { droppedBytes } = report.current().logs;
  report.update({ logs: { status: 'failing', droppedBytes, error: errorOf(result) } });
  return false;
};
