/**
 * What a bot's container finds inside: paths and names that the engine adapter writes and `runtime execute` reads.
 * Paths of contract §5 stay as bots know them; secrets come as a file, never in the container's environment.
 */
export const DELIVERY = {
  /** The code archive, written before each start. Beside the configuration: both are delivered in one call. */
  codeArchive: '/var/the0/code.zip',
  /** The bot's configuration as JSON, owner 1000, mode 0400, written before each start. BOT_CONFIG wins where it is set. */
  configFile: '/var/the0/config.json',
  /** Written by `runtime execute` before it exits; read by the controller to classify the exit. */
  exitReport: '/var/the0/exit-report.json',
  logFile: '/var/the0/logs/bot.log',
} as const;

/** Environment of the container beyond contract §1.2. */
export const DELIVERY_ENV = {
  /** Number of the start, so that a stale exit report is known as one. */
  attempt: 'DROVER_ATTEMPT',
  /** How long the bot has between SIGTERM and SIGKILL, milliseconds; shorter than the container's own grace. */
  botGraceMs: 'DROVER_BOT_GRACE_MS',
} as const;

/** Share of the container's stop grace that the bot gets; the rest is for what `runtime execute` does after it. */
export const botGraceMs = (stopGraceMs: number): number =>
  Math.max(0, stopGraceMs - Math.min(5_000, stopGraceMs * 0.25));
