/** The last sync of a start: tried until both state and logs are verified, or the time is over (feature E3). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TransferClient } from '../transfer/client.ts';
import { shipLogs, syncState } from './jobs.ts';
import type { Report } from './report.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;

/** `deadline` on the clock of `performance.now()`. True: all is stored. Sets `final` in the report either way. */
export const finalSync = async (client: TransferClient, report: Report, deadline: number): Promise<boolean> => {
  const left = (): number => Math.max(1, deadline - performance.now());
  let stateSynced = false;
  let logsShipped = false;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    // A job that hangs must leave time for the other one: half of what is left, while both are open.
    stateSynced ||= await syncState(client, report, true, logsShipped ? left() : left() / 2);
    logsShipped ||= await shipLogs(client, report, true, stateSynced ? left() : left() / 2);
    if (stateSynced && logsShipped) break;
    if (performance.now() + pause >= deadline) break;
    await sleep(pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
  report.update({ final: { stateSynced, logsShipped } });
  return stateSynced && logsShipped;
};
