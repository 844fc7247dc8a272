/**
 * The log of a bot in the logs bucket (contract §4). The day's object carries `<stream>:<position>` in its metadata, written
 * in one step with the content: whatever answer was lost, the object says what is in it. Rights needed: s3:GetObject,
 * s3:PutObject and s3:AbortMultipartUpload on `logs/<botId>/*`, nothing of the bucket.
 */
import { IncomingMessage } from 'node:http';
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

interface ReadOptions {
  readonly bucket: string;
  readonly key: string;
  readonly from: number;
  readonly into: Buffer;
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

/** Bytes of the object into the beginning of `into`. */
const readInto = async (client: Client, { bucket, key, from, into }: ReadOptions, size: number): Promise<void> => {
  const answer = await client.getPartialObject(bucket, key, from, size);
  if (!(answer instanceof IncomingMessage)) throw new Error('the server sent no answer that can be read');
  answer.socket.setTimeout(0);
  const content = wholeStream(answer, size, (thrown) => (thrown instanceof Error ? thrown : new Error(String(thrown))));
  let at = 0;
  for await (const piece of content as AsyncIterable<Buffer>) at += piece.copy(into, at);
};

/** @throws DroverError CONFIG_INVALID when these settings can never work */
export const createMinioLogArchives = (access: S3Access, botId: string): LogArchives => {
  const endpoint = parseEndpoint(access.endpoint, access.useSsl);
  // With a region nobody asks the server for the bucket's, which would take a right of its own.
  const client = createClient(endpoint, { ...access, region: access.region ?? 'us-east-1', slowest: SLOWEST });
  const bucket = access.buckets.logs;

  /** The package's putObject copies what it is given twice. */
  const put = async (objectName: string, content: Buffer, headers: Record<string, string>): Promise<void> => {
    await client.makeRequestAsyncOmit({ method: 'PUT', bucketName: bucket, objectName, headers }, content);
  };
  const write = async (key: string, piece: LogPiece, content: Buffer, found: Found | undefined): Promise<void> => {
    const headers = {
      'Content-Type': 'text/plain',
      [`X-Amz-Meta-${MARK}`]: `${piece.stream}:${String(piece.to)}`,
    };
    if (found === undefined || found.size === 0) {
      const only = found === undefined ? { 'If-None-Match': '*' } : { 'If-Match': found.etag };
      await put(key, content, { ...headers, ...only });
      return;
    }
    const { size, etag, mark } = found;
    // What another writer left may end in the middle of a line; what we wrote does not.
    const last = Buffer.from('\n');
    if (mark === undefined) await readInto(client, { bucket, key, from: size - 1, into: last }, 1);
    const between = last.equals(NEWLINE) ? Buffer.alloc(0) : NEWLINE;
    if (size >= JOIN_FROM) {
      const lines = between.length === 0 ? content : Buffer.concat([between, content]);
      await joinLog(client, { bucket, key, etag, size }, lines, headers);
      return;
    }
    const all = Buffer.allocUnsafeSlow(size + between.length + content.length);
    await readInto(client, { bucket, key, from: 0, into: all }, size);
    between.copy(all, size);
    content.copy(all, size + between.length);
    await put(key, all, { ...headers, 'If-Match': etag });
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
