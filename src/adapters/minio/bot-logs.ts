/**
 * The log of a bot in the logs bucket (contract §4). The day's object carries `<stream>:<position>` in its metadata, written
 * in one step with the content: whatever answer was lost, the object says what is in it. Rights needed: s3:GetObject,
 * s3:PutObject and s3:AbortMultipartUpload on `logs/<botId>/*`, nothing of the bucket.
 */
import { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Client } from 'minio';
import { archiveKeySteps } from '../../domain/archive-key.ts';
import type { S3Access } from '../../domain/store-access.ts';
import { logKey, type LogArchives, type LogPiece } from '../../ports/log-archives.ts';
import { createClient } from './client.ts';
import { parseEndpoint } from './endpoint.ts';
import { joinLog } from './join-log.ts';
import { Refusal } from './refusal.ts';
import { isMissing, isMissingBucket, toArchiveError, type Attempt } from './to-archive-error.ts';
import { wholeStream } from './whole-stream.ts';

/** A smaller part of a joined object is refused by the server; a smaller object is cheap to write anew. */
const JOIN_FROM = 5 * 1024 ** 2;
const MARK = 'drover-log';
/** Somebody else wrote between our look and our write. */
const CHANGED: ReadonlySet<string> = new Set(['PreconditionFailed', 'ConditionalRequestConflict']);
const TRIES = 3;
/** The caller has a deadline of its own (120 s in contract §7). */
const SLOWEST = 10_000;
const NEWLINE = Buffer.from('\n');

/** The day's object as it is. */
interface Found {
  readonly size: number;
  readonly etag: string;
  /** `<stream>:<position>`, when we wrote it last. */
  readonly mark: string | undefined;
}

const positionIn = ({ mark }: Found, stream: string): number | undefined => {
  const [, owner, position] = /^([\da-f]+):(\d+)$/.exec(mark ?? '') ?? [];
  return owner === stream ? Number(position) : undefined;
};

const lookAt = async (client: Client, bucket: string, key: string): Promise<Found | undefined> => {
  try {
    const { size, etag, metaData } = await client.statObject(bucket, key);
    return { size, etag, mark: metaData[MARK] as string | undefined };
  } catch (thrown) {
    if (isMissing(thrown) && !isMissingBucket(thrown)) return undefined;
    throw thrown;
  }
};

const read = async (client: Client, bucket: string, key: string, from: number, size: number): Promise<Buffer> => {
  const answer = await client.getPartialObject(bucket, key, from, size);
  if (!(answer instanceof IncomingMessage)) throw new Error('the server gave no answer to read');
  answer.socket.setTimeout(0);
  return buffer(wholeStream(answer, size, (thrown) => (thrown instanceof Error ? thrown : new Error(String(thrown)))));
};

/** @throws DroverError CONFIG_INVALID when these settings can never work */
export const createMinioLogArchives = (access: S3Access, botId: string): LogArchives => {
  const endpoint = parseEndpoint(access.endpoint, access.useSsl);
  // With a region nobody asks the server for the bucket's, which would take a right of its own.
  const client = createClient(endpoint, { ...access, region: access.region ?? 'us-east-1', slowest: SLOWEST });
  const bucket = access.buckets.logs;

  const write = async (key: string, piece: LogPiece, content: Buffer, found: Found | undefined): Promise<void> => {
    const headers = {
      'Content-Type': 'text/plain',
      [`X-Amz-Meta-${MARK}`]: `${piece.stream}:${String(piece.to)}`,
    };
    if (found === undefined || found.size === 0) {
      const only = found === undefined ? { 'If-None-Match': '*' } : { 'If-Match': found.etag };
      await client.putObject(bucket, key, content, content.length, { ...headers, ...only });
      return;
    }
    // What another writer left may end in the middle of a line; what we wrote does not.
    const ended = found.mark !== undefined || (await read(client, bucket, key, found.size - 1, 1)).equals(NEWLINE);
    const lines = ended ? content : Buffer.concat([NEWLINE, content]);
    if (found.size >= JOIN_FROM) {
      await joinLog(client, { bucket, key, etag: found.etag, size: found.size }, lines, headers);
      return;
    }
    const old = await read(client, bucket, key, 0, found.size);
    const all = Buffer.concat([old, lines]);
    await client.putObject(bucket, key, all, all.length, { ...headers, 'If-Match': found.etag });
  };

  const append = async (key: string, piece: LogPiece, content: Buffer): Promise<number> => {
    for (let tries = 1; ; tries += 1) {
      const found = await lookAt(client, bucket, key);
      const stored = found === undefined ? undefined : positionIn(found, piece.stream);
      if (stored !== undefined && stored > piece.from) return stored;
      try {
        await write(key, piece, content, found);
        return piece.to;
      } catch (thrown) {
        if (tries === TRIES || !(thrown instanceof Refusal) || !CHANGED.has(thrown.code)) throw thrown;
      }
    }
  };

  return {
    append: async (day, piece, content) => {
      const key = logKey(botId, day);
      const attempt: Attempt = { bucket, right: 's3:PutObject', filePath: key };
      try {
        archiveKeySteps(key);
        return await append(key, piece, content);
      } catch (thrown) {
        throw toArchiveError(thrown, attempt, endpoint);
      }
    },
  };
};
