/**
 * The one table of errors. Each has a stable code, a class that says what the loop must do, and a remedy a person can
 * follow. Adapters translate foreign errors into these; nobody else invents codes.
 */

/** What the loop must do: try again later, stop trying, re-fold and try again, or hand it back to the caller. */
export type ErrorClass = 'retryable' | 'terminal' | 'concurrency' | 'rejected';

interface ErrorRow {
  readonly class: ErrorClass;
  readonly remedy: string;
}

const row = (errorClass: ErrorClass, remedy: string): ErrorRow => ({ class: errorClass, remedy });

/** code → class and remedy. The README's error table is checked against this by a test. */
export const ERRORS = {
  ENGINE_UNAVAILABLE: row('retryable', 'Start the Docker Engine, or point DOCKER_HOST at one that answers.'),
  ENGINE_TIMEOUT: row('retryable', 'The engine did not answer within the deadline; look at its load and its log.'),
  ENGINE_ERROR: row('retryable', 'The engine refused the call for a reason that may pass; see the detail.'),
  ENGINE_REFUSED: row('terminal', 'The engine will never accept this container; correct what the detail names.'),
  NAME_TAKEN: row('retryable', 'A container that is not ours holds the name of this bot; remove or rename it.'),
  NAME_BUSY: row('retryable', 'The previous container of this bot is still being removed; drover waits for it.'),
  CONTAINER_STUCK: row('retryable', 'The engine cannot stop this container; restart the engine or its shim.'),
  NETWORK_EXHAUSTED: row('retryable', 'The bot network has no free address; free some or widen its address pool.'),
  IMAGE_UNAVAILABLE: row(
    'retryable',
    'Build the bot image with `npm run image`, or set RUNTIME_IMAGE to one that exists.',
  ),
  ARCHIVE_MISSING: row(
    'retryable',
    'Upload the code archive to the path in custom.filePath; drover tries again by itself.',
  ),
  ARCHIVE_CORRUPT: row('terminal', 'The code archive is not a readable zip; upload it again under a new version.'),
  ARCHIVE_UNSAFE: row(
    'terminal',
    'The code archive holds an entry that is not allowed; pack it without links and `..`.',
  ),
  ARCHIVE_UNAVAILABLE: row('retryable', 'The archive store does not answer; look at its health.'),
  ARCHIVE_FORBIDDEN: row(
    'retryable',
    'Give the key in MINIO_ACCESS_KEY the right that the message names, or create the bucket with another key.',
  ),
  CODE_INVALID: row(
    'terminal',
    'The code archive is not the one that was decided on; upload it under a new version, and never overwrite one.',
  ),
  CODE_NOT_CACHED: row('retryable', 'The code cache on this node was emptied; drover fills it again by itself.'),
  STORAGE_UNAVAILABLE: row(
    'retryable',
    'The archive store does not answer and the state on this node is not the newest; look at the store’s health.',
  ),
  STATE_RESTORE_FAILED: row(
    'terminal',
    'List the snapshots with `drover state <bot>` and choose one with `drover state <bot> --restore a1/s1`.',
  ),
  STATE_SUPERSEDED: row('retryable', 'A newer start of this bot has stored state; drover goes on counting from there.'),
  STATE_UNSYNCED: row(
    'retryable',
    'State or logs wait on the volume of the bot and are stored as soon as the archive store answers.',
  ),
  CREDENTIALS_UNSCOPED: row(
    'retryable',
    'Use an archive store with STS, or set BOT_STORE_CREDENTIALS=shared and trust every bot with every bot’s data.',
  ),
  GC_REFUSED: row(
    'rejected',
    'Look at MONGO_URI and at what the spec store holds; when it is right as it is, do what the message names.',
  ),
  GC_INCOMPLETE: row('retryable', 'Mend what the message names and run `drover gc` again; it goes on where it ended.'),
  HOST_PRESSURE: row('retryable', 'Free disk space under the engine; nothing starts below 5 %, stops and syncs go on.'),
  ENTRYPOINT_MISSING: row(
    'terminal',
    'The file in entrypoints.bot is not in the code archive; correct the name or the archive.',
  ),
  RUNTIME_UNSUPPORTED: row(
    'terminal',
    'Use a runtime that the bot image has, or build one that has it (compose/README.md).',
  ),
  // A container started by hand before drover had delivered its configuration: the next start of ours brings it.
  RUNTIME_CONFIG: row(
    'retryable',
    'drover delivers it with its next start; look at who started this container by hand.',
  ),
  SPAWN_FAILED: row('retryable', 'The bot process could not be started inside its container; see the detail.'),
  DOCUMENT_INVALID: row('rejected', 'Correct the field that the message names.'),
  BOT_ID_INVALID: row(
    'rejected',
    'Use 1 to 128 characters without `/`, `\\`, control characters, and not `.` or `..`.',
  ),
  SCHEDULE_INVALID: row(
    'rejected',
    'Write five fields (minute first), six (second first), @daily or the like, or @every 5m, and an IANA time zone.',
  ),
  BOT_NOT_FOUND: row('rejected', 'List the bots with `drover get` and check the id.'),
  QUERY_UNSUPPORTED: row('rejected', 'Give the bot a query program in `entrypoints.query`, and deploy it again.'),
  QUERY_PATH_UNKNOWN: row('rejected', 'The bot has no handler for this path; `/info` lists those it has.'),
  QUERY_FAILED: row(
    'rejected',
    'The handler of the bot failed; what it said is in `error`, its output in the bot’s log.',
  ),
  QUERY_NO_RESULT: row(
    'rejected',
    'The query program of the bot ended without a result; its last words are in the message.',
  ),
  QUERY_TIMEOUT: row('retryable', 'The bot did not answer in time; ask for less, or with a longer timeout.'),
  QUERY_UNREACHABLE: row(
    'retryable',
    'The query server of the bot does not answer; look at its output in the bot’s log and at its network.',
  ),
  QUERY_REPLY_INVALID: row('retryable', 'What the bot answered is no whole reply; look at its query program.'),
  QUERY_REPLY_TOO_LARGE: row('rejected', 'Ask for less at once, or raise QUERY_MAX_REPLY_MB.'),
  QUERY_BODY_TOO_LARGE: row('rejected', 'Send less; QUERY_MAX_BODY_KB is the most that is taken.'),
  QUERY_OVERLOADED: row('retryable', 'Ask again after the time in Retry-After, or raise QUERY_CONTAINERS.'),
  QUERY_ENDING: row('retryable', 'This drover ends; ask again in a moment.'),
  BOT_NOT_READY: row('retryable', 'Ask again after the time in Retry-After.'),
  BOT_PAUSED: row('rejected', 'Somebody paused the container; `docker unpause` it.'),
  SNAPSHOT_NOT_FOUND: row(
    'rejected',
    'List the snapshots with `drover state <bot>`; there is none for this time or name.',
  ),
  STATE_UNSETTLED: row('retryable', 'A restore on the bot’s volume is under way or broke off; its next start ends it.'),
  CONFIG_INVALID: row('rejected', 'Correct the setting that the message names.'),
  REQUEST_INVALID: row('rejected', 'Correct the request as the message says.'),
  STORE_LOCKED: row('rejected', 'Another drover holds this data folder; stop it, or use another DROVER_DATA_DIR.'),
  STORE_UNAVAILABLE: row('retryable', 'The store does not answer; look at its disk and its log.'),
  LEASE_LOST: row('retryable', 'Another drover leads now; this one stands by. Nothing needs to be done.'),
  NOT_LEADER: row('rejected', 'Ask the drover that leads; its name is in the message.'),
  PREDECESSOR_ACTIVE: row('rejected', 'Stop the predecessor’s bot-runner for good, then run `drover takeover` again.'),
  STORE_CORRUPT: row('terminal', 'The event log has a hole or a broken record; restore it from a backup.'),
  EVENT_ILLEGAL: row('terminal', 'The log holds an event its state cannot take; restore the log, or report this.'),
  VERSION_CONFLICT: row('concurrency', 'Somebody else wrote first; read again and retry.'),
  API_UNREACHABLE: row('retryable', 'Start drover with `drover up`, or give its address with --url or DROVER_URL.'),
  ENGINE_INSTALL_UNSUPPORTED: row('rejected', 'Install Docker Engine for your system, start it, and try again.'),
  INTERNAL: row('retryable', 'This is a defect of drover; report it with the log lines around it.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** An error of the table. `message` is for people, `code` for programs; `cause` keeps the foreign error. */
export class DroverError extends Error {
  override readonly name = 'DroverError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get class(): ErrorClass {
    return ERRORS[this.code].class;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** Any thrown value as an error of the table; what is unknown becomes INTERNAL and keeps its cause. */
export const toDroverError = (thrown: unknown): DroverError =>
  thrown instanceof DroverError
    ? thrown
    : new DroverError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });

/** Closes an exhaustive switch: the compiler refuses a missing case, a wrong value at run time throws. */
export const assertNever = (value: never): never => {
  throw new DroverError('INTERNAL', `unexpected value: ${JSON.stringify(value)}`);
};
