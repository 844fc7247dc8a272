/** The exit report that the controller classifies an exit by. Written whole or not at all. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DELIVERY } from '../domain/delivery.ts';
import type { ExitReport } from '../domain/observation.ts';

/**
 * What the daemon said last, beside how the bot ended: each file of a container that has ended costs the engine a mount of all
 * its volumes, and of a thousand short runs that is what takes time.
 */
const lastSyncReport = (): { readonly sync?: unknown } => {
  try {
    return { sync: JSON.parse(readFileSync(DELIVERY.syncReport, 'utf8')) as unknown };
  } catch {
    return {};
  }
};

/** The last word of PID 1, with that of the daemon. Never throws. */
export const writeLastReport = (report: ExitReport): void => {
  writeExitReport({ ...report, ...lastSyncReport() });
};

/** Never throws: without a report the controller takes the exit for one from outside. */
export const writeExitReport = (report: ExitReport, path: string = DELIVERY.exitReport): void => {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(report));
    renameSync(`${path}.new`, path);
  } catch (error) {
    process.stderr.write(`drover: the exit report could not be written: ${String(error)}\n`);
  }
};

/** A report of an earlier run of this very container (a restart by hand) would speak for this one. Never throws. */
export const dropExitReport = (path: string = DELIVERY.exitReport): void => {
  try {
    rmSync(path, { force: true });
  } catch {
    // It cannot be written either then, and the controller takes the exit for one from outside.
  }
};
