/**
 * What a bot's container finds inside: paths and names that the engine adapter writes and `runtime execute` reads.
 * Paths of contract §5 stay as bots know them; secrets come as a file, never in the container's environment.
 */
export const DELIVERY = {
  /** The code archive, written before each start. Beside the configuration: both are delivered in one call. */
  codeArchive: '/var/the0/code.zip',
  /** The code cache, a volume shared by all bots, read-only for them: `<sha256>.zip`, whole or not there. */
  codeCache: '/var/cache/drover/code',
  /** The bot's configuration as JSON, owner 1000, mode 0400: read once and removed. BOT_CONFIG wins where it is set. */
  configFile: '/var/the0/config.json',
  /** How this container reaches its own part of the archive store ({@link StoreAccess}), mode 0400; replaced when it is renewed. */
  accessFile: '/var/the0/store-access.json',
  /** Where the embedded archive store is mounted: a volume of this bot and incarnation alone. */
  archiveMount: '/archive',
  /** Written by `runtime execute` before it exits; read by the controller to classify the exit. */
  exitReport: '/var/the0/exit-report.json',
  /** Written by `daemon sync` whenever its status changes; read by the controller for conditions ({@link SyncReport}). */
  syncReport: '/var/the0/sync-report.json',
  /** Exit code of the bot as text; its mere existence tells `daemon sync --watch-done` to end (contract §6). */
  doneFile: '/var/the0/done',
  logFile: '/var/the0/logs/bot.log',
  /** The bot's HOME: on its volume, in no snapshot. */
  home: '/var/the0/home',
} as const;

/** Environment of the container beyond contract §1.2. All are withheld from the bot's process. */
export const DELIVERY_ENV = {
  /** Number of the start, so that a stale exit report is known as one. */
  attempt: 'DROVER_ATTEMPT',
  /** Incarnation of the bot: state of an earlier one is never inherited. */
  incarnation: 'DROVER_INCARNATION',
  /** SHA-256 (hex) of the code archive, pinned by the controller. */
  codeDigest: 'DROVER_CODE_SHA256',
  /** Milliseconds of each stage of a stop: the hook `stop`, the bot between SIGTERM and SIGKILL, the final sync. */
  stopHookMs: 'DROVER_STOP_HOOK_MS',
  botGraceMs: 'DROVER_BOT_GRACE_MS',
  syncMs: 'DROVER_SYNC_MS',
  /** Entrypoint of the pre-stop hook (`entrypoints.stop`), when there is one. */
  stopEntrypoint: 'DROVER_STOP_ENTRYPOINT',
  /** Key of a run beside another one that writes the state: this one sees it and stores none. */
  stateReadOnly: 'DROVER_STATE_READ_ONLY',
  /** Snapshots kept per bot, and the limits of contract §4 in MiB. */
  keepSnapshots: 'DROVER_KEEP_SNAPSHOTS',
  maxStateMb: 'MAX_STATE_SIZE_MB',
  maxStateFileMb: 'MAX_STATE_FILE_SIZE_MB',
} as const;
