/** The stored log of one bot: a file for each day, `logs/<botId>/<YYYYMMDD>.log` (contract §4). */

/** A piece of a stream of output: which stream, and which of its bytes. */
export interface LogPiece {
  /** Names the volume that the output comes from. */
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

export interface LogArchives {
  /**
   * Appends NDJSON to a day's file, which remembers beside it how far this stream is in it. Resolves to the position up to
   * which the stream is stored: `piece.to`; or another one beyond `piece.from`, when an earlier append was done and its
   * answer was lost: then nothing is appended. What others wrote into the file stays.
   * `day` is `YYYYMMDD`; `content` is read before the promise is settled, and never after.
   * @throws DroverError ARCHIVE_UNAVAILABLE, ARCHIVE_FORBIDDEN
   */
  append(day: string, piece: LogPiece, content: Buffer): Promise<number>;
}

/** The key of a day's file. */
export const logKey = (botId: string, day: string): string => `logs/${botId}/${day}.log`;
