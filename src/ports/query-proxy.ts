/** HTTP to the query servers of running bots, over connections that are kept. */
import type { Readable } from 'node:stream';
import type { Cancellation } from '../domain/cancellation.ts';
import type { QueryEndpoint } from './query-containers.ts';

export interface ProxyRequest {
  /** With its query string. */
  readonly path: string;
  /** JSON; absent: no body. */
  readonly body?: string;
  /** Of the whole exchange, until the last byte of the reply. */
  readonly cancellation: Cancellation;
}

export interface ProxyReply {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly bytes: number | undefined;
  /** Whole where it is small and says how long it is: most replies are of some hundred bytes. */
  readonly body: Buffer | Readable;
}

/** One container's query server. */
export interface ProxyTarget {
  readonly endpoint: QueryEndpoint;
  /**
   * @throws DroverError QUERY_UNREACHABLE when no connection could be made or it was not this container's any more: nothing was
   * asked; QUERY_REPLY_INVALID for what is no HTTP or broke off. A cancellation's reason as it is.
   */
  ask(request: ProxyRequest): Promise<ProxyReply>;
  /** Ends all connections, those in use when they are done. */
  close(): void;
}

export interface QueryProxy {
  open(endpoint: QueryEndpoint): ProxyTarget;
}
