/** Errors of the engine's network, of reports from containers, and of what answers at an address: part of the one table. */
import { row, type ErrorRow } from './error-row.ts';

export const OPERATION_ERRORS = {
  NETWORK_UNSAFE: row(
    'retryable',
    'The network of the bots exists with other options than those with which drover makes it.',
    'Stop drover, remove the network with `docker network rm drover-bots` (its containers first) and start drover again, or set DOCKER_NETWORK to a network of your own.',
  ),
  REPORT_STALE: row(
    'retryable',
    'The bot runs, but its sync daemon has reported nothing for at least three minutes.',
    'Look for what stopped the daemon in the output of the container, and restart the bot: the next start stores what is on the volume.',
  ),
} as const satisfies Record<string, ErrorRow>;
