/** Where a daemon under test finds its things: all below one folder. */
import { join } from 'node:path';

export const pathsBelow = (root: string) => ({
  state: join(root, 'state'),
  the0: join(root, 'the0'),
  log: join(root, 'the0/logs/bot.log'),
  report: join(root, 'the0/sync-report.json'),
  done: join(root, 'the0/done'),
  access: join(root, 'the0/access.json'),
  store: join(root, 'store'),
  /** While it is there, a job of state waits: a test kills the process in the middle of it. */
  hold: join(root, 'hold'),
  /** The same for jobs of logs. */
  holdLogs: join(root, 'hold-logs'),
  /** Process id of the transfer process that does a job. */
  worker: join(root, 'worker.pid'),
});
