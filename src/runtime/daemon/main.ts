/** `runtime daemon init|sync`: the flags and the container's own places, then the work. */
import { join, dirname } from 'node:path';
import { DELIVERY } from '../../domain/delivery.ts';
import { toDroverError } from '../../domain/errors.ts';
import { readDaemonConfig } from '../config.ts';
import { parseDaemonFlags } from './flags.ts';

const TRANSFER_ENTRY = '/app/transfer.cjs';
const USAGE = 'usage: runtime daemon init | daemon sync [flags]\n';

/** Resolves to the exit code; 64 for a call that makes no sense. `args`: what follows `daemon`. */
export const daemon = async (args: readonly string[], transferEntry = TRANSFER_ENTRY): Promise<number> => {
  const [command, ...rest] = args;
  if (command !== 'init' && command !== 'sync') {
    process.stderr.write(USAGE);
    return 64;
  }
  try {
    const flags = parseDaemonFlags(rest);
    const config = readDaemonConfig(flags);
    const { statePath, logsPath, env } = config;
    if (command === 'init') {
      const { daemonInit } = await import('./init.ts');
      return await daemonInit({ ...config, transferEntry, transferEnv: env });
    }
    const { daemonSync } = await import('./sync.ts');
    return await daemonSync({
      botId: config.botId,
      attempt: config.attempt,
      liveUrl: config.liveUrl,
      statePath,
      the0Path: dirname(DELIVERY.syncReport),
      logFile: join(logsPath, 'bot.log'),
      reportFile: DELIVERY.syncReport,
      doneFile: DELIVERY.doneFile,
      transferEntry,
      transferEnv: env,
      syncMs: config.syncMs,
      intervalMs: flags.intervalMs,
      watchDone: flags['watch-done'],
      finalOnly: flags.final,
      readinessPort: flags.readinessPort,
    });
  } catch (thrown) {
    const { code, message } = toDroverError(thrown);
    process.stderr.write(`drover: ${code}: ${message}\n`);
    return code === 'CONFIG_INVALID' ? 64 : 1;
  }
};
