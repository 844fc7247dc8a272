/** A server for tests: one that is named by the environment, or one of our own on a free port. */

export interface TestServer {
  /** What the tests and drover itself are told, e.g. `{ NATS_URL: … }`. */
  readonly env: Readonly<Record<string, string>>;
  /** Which program, where it was found and what it can do, with commas between, for the person who reads the output. */
  readonly how: string;
  /** The server that this one is not, and why: what only that one does is not tested. */
  readonly instead?: { readonly of: string; readonly why: string };
  /** Ends what was started here; leaves alone what was there before. */
  stop(): Promise<void>;
}

export type { Progress } from '../machine.ts';

/** Why there can be no such server here; one line for the list of what was left out. */
export class NoServer extends Error {
  override readonly name = 'NoServer';
}

/** First line of what was thrown. */
export const wordOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0]?.trim() ?? '';

/** As one line of the output. */
export const describeServer = ({ how, instead }: TestServer): string => {
  const [program = '', ...more] = how.split(', ');
  return [program, ...(instead === undefined ? [] : ['stand-in']), ...more].join(', ');
};

/** What was not tested because a stand-in ran, or undefined. */
export const standInLine = ({ how, instead }: TestServer): string | undefined =>
  instead === undefined
    ? undefined
    : `${instead.of} itself: ${how.split(', ')[0] ?? ''} stood in for it (${instead.why})`;
