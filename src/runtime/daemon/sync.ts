/** `daemon sync`: sees changes of state and logs, has them stored, and says how it stands. */
import { mkdirSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTransfer, type TransferClient } from '../transfer/client.ts';
import { createDebounce } from './debounce.ts';
import { endOfSync } from './end-of-sync.ts';
import { finalSync } from './final-sync.ts';
import { shipLogs, syncState } from './jobs.ts';
import { createLane } from './lane.ts';
import { startLiveLogs } from './live-logs.ts';
import { openReport, type Report } from './report.ts';
import { treeDigest } from './tree-digest.ts';
import { watchTree } from './watch-tree.ts';

export interface DaemonSyncOptions {
  readonly botId: string;
  readonly attempt: number;
  /** Publish-only NATS server for live chunks of the log; undefined: none. */
  readonly liveUrl: string | undefined;
  readonly statePath: string;
  readonly the0Path: string;
  readonly logFile: string;
  readonly reportFile: string;
  readonly doneFile: string;
  readonly transferEntry: string;
  readonly transferEnv: NodeJS.ProcessEnv;
  /** Time for the final sync, milliseconds. */
  readonly syncMs: number;
  /** Between two sweeps, milliseconds. */
  readonly intervalMs: number;
  readonly watchDone: boolean;
  /** The final sync at once, without watching. */
  readonly finalOnly: boolean;
  readonly readinessPort: number | undefined;
}

const QUIET_MS = 500;
const LONGEST_WRITING_MS = 5000;
const LOGS_GAP_MS = 10_000;
const BACKOFF_MS = [2000, 60_000] as const;
const REPORT_EVERY_MS = 60_000;
/** Between two sweeps when not every folder could be watched. */
const SWEEP_UNWATCHED_MS = 5000;
const TRANSFER_IDLE_MS = 15_000;
/** Contract §7: time for one upload of state, and of logs. */
const STATE_JOB_MS = 180_000;
const LOGS_JOB_MS = 120_000;
/** Time for the last live chunks. */
const LIVE_END_MS = 1000;

const watchLog = (logFile: string, onChange: () => void): FSWatcher | undefined => {
  try {
    mkdirSync(dirname(logFile), { recursive: true });
    const name = basename(logFile);
    const watcher = watch(dirname(logFile), { persistent: false }, (_event, changed) => {
      // What the shipper writes beside it must not wake the shipper again.
      if (changed === null || changed === name) onChange();
    });
    return watcher.on('error', () => undefined);
  } catch {
    // The sweep asks for the logs too.
    return undefined;
  }
};

/** Stores what changes until `ended`; then the running jobs end, or are given up after half of `syncMs`. */
const syncUntil = async (
  options: DaemonSyncOptions,
  client: TransferClient,
  report: Report,
  ended: Promise<void>,
): Promise<void> => {
  const { statePath, logFile } = options;
  const run = (job: typeof syncState, ms: number) => () => job(client, report, false, ms);
  const state = createLane({ run: run(syncState, STATE_JOB_MS), gapMs: 0, backoffMs: BACKOFF_MS });
  const logs = createLane({ run: run(shipLogs, LOGS_JOB_MS), gapMs: LOGS_GAP_MS, backoffMs: BACKOFF_MS });
  const settled = createDebounce(QUIET_MS, LONGEST_WRITING_MS, state.request);
  let sweepMs = options.intervalMs;
  const tree = watchTree({
    root: statePath,
    onChange: () => {
      const now = report.current().state;
      if (now.status === 'synced') report.update({ state: { ...now, status: 'pending' } });
      settled.poke();
    },
    onLimit: (detail) => {
      sweepMs = Math.min(sweepMs, SWEEP_UNWATCHED_MS);
      process.stderr.write(
        `drover: not all folders of the state are watched, so it is swept every ${String(sweepMs)} ms: ${detail}\n`,
      );
    },
  });
  const logWatch = watchLog(logFile, logs.request);
  let digest = '';
  let sweeper: NodeJS.Timeout | undefined;
  let over = false;
  const sweep = async (): Promise<void> => {
    const found = await treeDigest(statePath, tree.ensure).catch(() => '');
    if (over) return;
    if (found !== digest) state.request();
    digest = found;
    sweeper = setTimeout(() => void sweep(), sweepMs);
  };
  state.request();
  logs.request();
  void sweep();
  const beat = setInterval(report.write, REPORT_EVERY_MS);

  await ended;
  over = true;
  settled.cancel();
  tree.close();
  logWatch?.close();
  clearTimeout(sweeper);
  clearInterval(beat);
  // A running job is finished or given up: half of the time is for the final sync itself.
  const giveUp = setTimeout(() => void client.close(), options.syncMs / 2);
  await Promise.all([state.stop(), logs.stop()]);
  clearTimeout(giveUp);
};

/** Resolves to the exit code: 0 when the final sync stored and verified all, else 1. */
export const daemonSync = async (options: DaemonSyncOptions): Promise<number> => {
  const { reportFile: path, the0Path, statePath, attempt } = options;
  // Before anything else: a signal that comes early must still end in a final sync.
  const ended = endOfSync(options.watchDone ? options.doneFile : undefined);
  let endedAt: number | undefined;
  const stamped = ended.then(() => {
    endedAt = performance.now();
  });
  const report = openReport({ path, the0Path, statePath, attempt });
  report.write();
  const client = openTransfer({ entry: options.transferEntry, env: options.transferEnv, idleMs: TRANSFER_IDLE_MS });
  let endLive = (): Promise<void> => Promise.resolve();
  if (!options.finalOnly) {
    const ready =
      options.readinessPort === undefined
        ? undefined
        : (await import('./readiness.ts')).openReadiness(options.readinessPort);
    const { liveUrl: url, botId, logFile } = options;
    const live = startLiveLogs({ url, botId, logsPath: dirname(logFile) });
    await syncUntil(options, client, report, stamped);
    endLive = async () => (await live)();
    ready?.close();
  }
  const stored = await finalSync(client, report, (endedAt ?? performance.now()) + options.syncMs);
  // After the store: a server that is away must not take the time of the final sync.
  await Promise.all([client.close(), Promise.race([endLive(), sleep(LIVE_END_MS)])]);
  // Whoever runs it for this alone reads the outcome here: the volume may be out of its reach.
  if (options.finalOnly) process.stdout.write(`${JSON.stringify(report.current())}\n`);
  return stored ? 0 : 1;
};
