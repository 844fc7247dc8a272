/** Errors of the engine's network, of reports from containers, and of callers of the API: part of the one table. */
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
  UNAUTHORIZED: row(
    'rejected',
    'The request has no bearer token, or a wrong one.',
    'Set DROVER_TOKEN, or give --token, with the value of API_TOKEN of drover.',
  ),
  NOT_DROVER: row(
    'rejected',
    'Another program than drover answers at the address of the API.',
    'Give the address of drover with --url or DROVER_URL. If another program has its port, set HTTP_PORT for drover.',
  ),
} as const satisfies Record<string, ErrorRow>;
