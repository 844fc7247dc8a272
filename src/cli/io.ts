/** Where the command line writes, and how it reaches the API: handed in, so that tests own both. */
import type { ApiClient } from './api-client.ts';

export interface Io {
  readonly out: (text: string) => void;
  /** Colours and tables for people, or lines for programs. */
  readonly isTerminal: boolean;
  readonly client: (options: { url?: string; token?: string }) => ApiClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}
