/** How a container reaches its own part of the archive store, and nothing else of it. */

/** A folder: the embedded store, a volume of this bot alone. */
export interface FolderAccess {
  readonly kind: 'folder';
  readonly path: string;
}

/** An S3 server, with keys that are short-lived and limited to `<botId>/*` of the state bucket and `logs/<botId>/*` of the logs bucket. */
export interface S3Access {
  readonly kind: 's3';
  /** `host:port` as the container reaches it. */
  readonly endpoint: string;
  readonly useSsl: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string;
  readonly region?: string;
  /** Authority of the server's certificate (PEM). */
  readonly ca?: string;
  readonly buckets: { readonly state: string; readonly logs: string };
  /** Epoch milliseconds; absent for keys that do not expire. */
  readonly expiresAt?: number;
}

export type StoreAccess = FolderAccess | S3Access;
