/** What of the code archive was not unpacked, left beside the bot's volume for the process that reports it to the controller. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodeReport } from '../../domain/sync-report.ts';
import type { Skipped } from '../entry-rules.ts';

const NAMED = 10;
const fileIn = (the0Path: string): string => join(the0Path, 'code-report.json');

export const lineOf = ({ name, why }: Skipped): string => `${name} ${why}`;

/** Of a start that skipped nothing there is none. Never throws: a full disk must not keep a bot from starting. */
export const writeCodeReport = (the0Path: string, attempt: number, skipped: readonly Skipped[]): void => {
  try {
    if (skipped.length === 0) rmSync(fileIn(the0Path), { force: true });
    else {
      const report = { attempt, skipped: skipped.length, entries: skipped.slice(0, NAMED).map(lineOf) };
      writeFileSync(fileIn(the0Path), JSON.stringify(report));
    }
  } catch (error) {
    process.stderr.write(`drover: the report about the code could not be written: ${String(error)}\n`);
  }
};

export const readCodeReport = (the0Path: string): (CodeReport & { readonly attempt: number }) | undefined => {
  try {
    return JSON.parse(readFileSync(fileIn(the0Path), 'utf8')) as CodeReport & { attempt: number };
  } catch {
    return undefined;
  }
};
