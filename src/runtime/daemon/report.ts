/** Keeps the sync report and writes it whole or not at all. A full disk never stops the daemon. */
import { readFileSync, renameSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodeReport, RestoreReport, SyncReport } from '../../domain/sync-report.ts';
import { readCodeReport } from '../code/code-report.ts';

export interface ReportOptions {
  readonly path: string;
  readonly the0Path: string;
  readonly statePath: string;
  readonly attempt: number;
}

type Changes = Partial<Pick<SyncReport, 'state' | 'logs' | 'final'>>;

export interface Report {
  readonly current: () => SyncReport;
  /** Writes when something differs from what was written last. */
  update(changes: Changes): void;
  /** Writes in any case: the controller sees by the time that the daemon lives. */
  write(): void;
}

interface Marker {
  readonly attempt?: number;
  readonly restored?: RestoreReport;
}

const restoredBy = (the0Path: string, attempt: number): RestoreReport | undefined => {
  try {
    const marker = JSON.parse(readFileSync(join(the0Path, 'state-marker.json'), 'utf8')) as Marker;
    return marker.attempt === attempt ? marker.restored : undefined;
  } catch {
    return undefined;
  }
};

const codeOf = (the0Path: string, attempt: number): CodeReport | undefined => {
  const found = readCodeReport(the0Path);
  return found?.attempt === attempt ? { skipped: found.skipped, entries: found.entries } : undefined;
};

const diskFree = (path: string): number | undefined => {
  try {
    const { bavail, blocks } = statfsSync(path);
    return blocks === 0 ? undefined : bavail / blocks;
  } catch {
    return undefined;
  }
};

export const openReport = ({ path, the0Path, statePath, attempt }: ReportOptions): Report => {
  let report: SyncReport = {
    attempt,
    writtenAt: 0,
    state: { status: 'unknown' },
    logs: { status: 'unknown', droppedBytes: 0 },
  };
  const write = (): void => {
    const restored = report.restored ?? restoredBy(the0Path, attempt);
    const free = diskFree(statePath);
    const code = codeOf(the0Path, attempt);
    report = {
      ...report,
      writtenAt: Date.now(),
      ...(code === undefined ? {} : { code }),
      ...(restored === undefined ? {} : { restored }),
      ...(free === undefined ? {} : { diskFree: free }),
    };
    try {
      writeFileSync(`${path}.new`, JSON.stringify(report));
      renameSync(`${path}.new`, path);
    } catch (error) {
      process.stderr.write(`drover: the sync report could not be written: ${String(error)}\n`);
    }
  };
  return {
    current: () => report,
    update(changes) {
      const next = { ...report, ...changes };
      if (JSON.stringify(next) === JSON.stringify(report)) return;
      report = next;
      write();
    },
    write,
  };
};
