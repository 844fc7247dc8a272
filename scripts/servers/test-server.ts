/** A server for tests: one that is named by the environment, or one of our own on a free port. */

export interface TestServer {
  /** What the tests and drover itself are told, e.g. `{ NATS_URL: … }`. */
  readonly env: Readonly<Record<string, string>>;
  /** Which program and where it was found, for the person who reads the output. */
  readonly how: string;
  /** The server that this one is not, with the reason: what only that one does is not tested. */
  readonly standsInFor?: string;
  /** Ends what was started here; leaves alone what was there before. */
  stop(): Promise<void>;
}

/** Told of each step that takes longer than a moment. */
export type Progress = (step: string, detail?: string) => void;

/** Why there can be no such server here; one line for the list of what was left out. */
export class NoServer extends Error {
  override readonly name = 'NoServer';
}

/** First line of what was thrown. */
export const wordOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0]?.trim() ?? '';
