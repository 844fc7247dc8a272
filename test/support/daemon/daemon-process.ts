/** The real daemon on folders of a test: `daemon-process <root> <transfer entry> [sync ms] [--final|--watch-done]`. */
import { daemonSync } from '../../../src/runtime/daemon/sync.ts';
import { pathsBelow } from './paths.ts';

const [root = '', transferEntry = '', syncMs = '20000', ...flags] = process.argv.slice(2);
const paths = pathsBelow(root);

void daemonSync({
  botId: 'bot',
  attempt: 1,
  liveUrl: undefined,
  statePath: paths.state,
  the0Path: paths.the0,
  logFile: paths.log,
  reportFile: paths.report,
  doneFile: paths.done,
  transferEntry,
  transferEnv: { ...process.env, TEST_ROOT: root },
  syncMs: Number(syncMs),
  // No sweep while a test looks: what is found is found by watching.
  intervalMs: 600_000,
  watchDone: flags.includes('--watch-done'),
  finalOnly: flags.includes('--final'),
  readinessPort: undefined,
}).then((code) => process.exit(code));
