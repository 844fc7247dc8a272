/**
 * The one table of errors. Each has a stable code, a class that says what the control loop does next, the usual cause, and a remedy
 * that a person can follow. `docs/reference/errors.md` is generated from this table.
 */
import { CODE_ERRORS } from './code-error-table.ts';
import { DOCUMENT_ERRORS } from './document-error-table.ts';
import { row, type ErrorRow } from './error-row.ts';
import { MACHINE_ERRORS } from './machine-error-table.ts';
import { OPERATION_ERRORS } from './operation-error-table.ts';
import { QUERY_ERRORS } from './query-error-table.ts';

/** code → class, cause and remedy. */
export const ERRORS = {
  // The engine.
  ENGINE_UNAVAILABLE: row(
    'retryable',
    'No Docker Engine answers at the configured address.',
    'Start the Docker Engine, or point DOCKER_HOST at one that answers.',
  ),
  ENGINE_TIMEOUT: row(
    'retryable',
    'The engine accepted a call and did not answer within its deadline.',
    'Check the load of the host and the log of the engine.',
  ),
  ENGINE_ERROR: row(
    'retryable',
    'The engine refused a call for a reason that may pass; the message quotes the engine.',
    'Read the quoted message. drover retries by itself; correct the engine if the error stays.',
  ),
  ENGINE_REFUSED: row(
    'terminal',
    'The engine will never accept this container as it is specified.',
    'Correct the field that the message names, and apply the bot again.',
  ),
  NAME_TAKEN: row(
    'retryable',
    'A container that does not belong to this install has the name that this bot needs.',
    'Remove or rename that container.',
  ),
  NAME_BUSY: row(
    'retryable',
    'The engine is still removing the previous container of this bot.',
    'Do nothing: drover waits until the container is gone. Restart the engine if that takes minutes.',
  ),
  CONTAINER_STUCK: row(
    'retryable',
    'The engine cannot stop this container, not even with SIGKILL.',
    'Restart the engine, or end the container’s shim process by hand.',
  ),
  NETWORK_EXHAUSTED: row(
    'retryable',
    'The bot network has no free address left.',
    'Remove containers that you do not need, or recreate the network with a larger address range.',
  ),
  IMAGE_UNAVAILABLE: row(
    'retryable',
    'The engine does not have the bot image and cannot pull it.',
    'Build the bot image with `npm run image`, or set RUNTIME_IMAGE to an image that exists.',
  ),
  HOST_PRESSURE: row(
    'retryable',
    'A disk under the engine, or a volume, is nearly full.',
    'Free disk space. No bot starts while less than 5 % is free; stops and syncs continue.',
  ),
  SPAWN_FAILED: row(
    'retryable',
    'The process of the bot could not be started inside its container.',
    'Read the message: it names the file and the reason, such as a missing interpreter or no memory.',
  ),
  // The code of a bot.
  ARCHIVE_MISSING: row(
    'retryable',
    'The archive store has no code archive at the path in `custom.filePath`.',
    'Upload the code archive to that path. drover retries by itself.',
  ),
  ARCHIVE_CORRUPT: row(
    'terminal',
    'The code archive is not a readable zip file.',
    'Upload the archive again under a new version.',
  ),
  ARCHIVE_UNSAFE: row(
    'terminal',
    'The code archive holds an entry that is not allowed, such as an encrypted one, or far too much.',
    'Pack the archive again without the entry that the message names.',
  ),
  ARCHIVE_UNAVAILABLE: row(
    'retryable',
    'The archive store does not answer.',
    'Check that the S3 server runs and that MINIO_ENDPOINT is right.',
  ),
  ARCHIVE_FORBIDDEN: row(
    'retryable',
    'The archive store refuses the key in MINIO_ACCESS_KEY.',
    'Give the key the right that the message names, or create the bucket with another key.',
  ),
  CODE_INVALID: row(
    'terminal',
    'The code archive has changed since drover decided to start it.',
    'Upload changed code under a new version. Never overwrite an archive.',
  ),
  CODE_NOT_CACHED: row(
    'retryable',
    'The code cache of the engine was emptied or damaged.',
    'Do nothing: drover fills the cache again before the next start.',
  ),
  ENTRYPOINT_MISSING: row(
    'terminal',
    'The file in `entrypoints.bot` is not in the code archive.',
    'Correct the file name in the document, or add the file to the archive.',
  ),
  RUNTIME_UNSUPPORTED: row(
    'terminal',
    'The bot image has no interpreter for the runtime that the document names.',
    'Use a runtime that the bot image has, or build an image that has it (compose/README.md).',
  ),
  // A container started by hand before drover had delivered its configuration: the next start of ours brings it.
  RUNTIME_CONFIG: row(
    'retryable',
    'A container started without its configuration, for example because somebody started it by hand.',
    'Do nothing: drover delivers the configuration with its next start. Find out who started the container.',
  ),
  ...CODE_ERRORS,
  // State and logs.
  STORAGE_UNAVAILABLE: row(
    'retryable',
    'The archive store does not answer, and the state on this host may not be the newest.',
    'Bring the archive store back. The bot starts by itself after that.',
  ),
  STATE_RESTORE_FAILED: row(
    'terminal',
    'The state that the bot would start from cannot be read.',
    'List the snapshots with `drover state <bot>`, and select one with `drover state <bot> --restore a1/s1`.',
  ),
  STATE_SUPERSEDED: row(
    'retryable',
    'A newer start of this bot has already stored state.',
    'Do nothing: drover continues from the newer state.',
  ),
  STATE_UNSYNCED: row(
    'retryable',
    'State or logs are on the volume of the bot and not yet in the archive store.',
    'Do nothing: drover stores them as soon as the archive store answers. Do not remove the volume.',
  ),
  STATE_UNSETTLED: row(
    'retryable',
    'A restore on the volume of the bot is in progress, or was interrupted.',
    'Query again later; start the bot if the error stays: its next start completes the restore.',
  ),
  SNAPSHOT_NOT_FOUND: row(
    'rejected',
    'The bot has no snapshot of this name, or none from before this time.',
    'List the snapshots with `drover state <bot>`.',
  ),
  CREDENTIALS_UNSCOPED: row(
    'retryable',
    'The archive store cannot issue keys that are limited to one bot.',
    'Use an archive store with STS, or set BOT_STORE_CREDENTIALS=shared and trust every bot with the data of every bot.',
  ),
  // Documents and requests.
  DOCUMENT_INVALID: row(
    'rejected',
    'A field of the document has a value that is not allowed.',
    'Correct the field that the message names.',
  ),
  BOT_ID_INVALID: row(
    'rejected',
    'The id is empty, too long, or has a character that is not allowed.',
    'Use 1 to 128 characters without `/`, `\\`, control characters, and not `.` or `..`.',
  ),
  ...DOCUMENT_ERRORS,
  SCHEDULE_INVALID: row(
    'rejected',
    'The cron expression or the time zone is not valid, or never matches a date.',
    'Write five fields (minute first), six (second first), @daily or the like, or @every 5m, and an IANA time zone.',
  ),
  BOT_NOT_FOUND: row(
    'rejected',
    'There is no bot, no schedule or no run of this name.',
    'List the bots with `drover get`, the schedules with `drover schedules` and the runs with `drover runs`.',
  ),
  CONFIG_INVALID: row(
    'rejected',
    'A setting or an option has a value that is not allowed.',
    'Correct the setting that the message names.',
  ),
  REQUEST_INVALID: row(
    'rejected',
    'The request has a parameter, a body or a header that is not allowed.',
    'Correct the request as the message says.',
  ),
  ...QUERY_ERRORS,
  ...MACHINE_ERRORS,
  ...OPERATION_ERRORS,
  // The stores, the lease, and the move from the0.
  STORE_LOCKED: row(
    'rejected',
    'Another drover process uses this data folder.',
    'Stop the other process, or set another DROVER_DATA_DIR.',
  ),
  STORE_UNAVAILABLE: row(
    'retryable',
    'The store of documents and events does not answer.',
    'Check MongoDB or the disk of the data folder, and their logs.',
  ),
  STORE_CORRUPT: row(
    'terminal',
    'The event log has a gap or a damaged record.',
    'Restore the event log from a backup.',
  ),
  EVENT_ILLEGAL: row(
    'terminal',
    'The event log holds an event that cannot happen in its state, or that a newer drover wrote.',
    'Use the newest drover that has written to this log; else restore the log from a backup.',
  ),
  VERSION_CONFLICT: row(
    'concurrency',
    'Another process has written to the same stream first.',
    'Read the current version, and send the change again.',
  ),
  LEASE_LOST: row(
    'retryable',
    'Another drover process has become the leader.',
    'This process continues as a standby. Send a command to the leader instead: `/readyz?verbose` names it.',
  ),
  NOT_LEADER: row(
    'rejected',
    'This process is a standby and cannot carry out the command.',
    'Send the command to the leader; the message names it.',
  ),
  PREDECESSOR_ACTIVE: row(
    'rejected',
    'The bot runner of the0 started a container during the takeover.',
    'Stop that bot runner for good, and run `drover takeover` again.',
  ),
  GC_REFUSED: row(
    'rejected',
    'Garbage collection cannot be sure what is garbage: too much would go, or the documents belong to another install.',
    'Check MONGO_URI and the documents in the store. If they are right, do what the message names.',
  ),
  GC_INCOMPLETE: row(
    'retryable',
    'Garbage collection ended before it was complete.',
    'Correct what the message names, and run `drover gc` again. It continues where it ended.',
  ),
  API_UNREACHABLE: row(
    'retryable',
    'No drover answers at the address of the API.',
    'Start drover with `drover up`, or give its address with --url or DROVER_URL.',
  ),
  ENGINE_INSTALL_UNSUPPORTED: row(
    'rejected',
    'drover cannot install a Docker Engine on this system.',
    'Install and start Docker Engine, and try again.',
  ),
  INTERNAL: row('retryable', 'A defect of drover.', 'Report it together with the log lines around it.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;
