/**
 * Appends to an object that is too long to be written anew: its own bytes are copied by the server, the new ones are the last
 * part. Not the package's composeObject: that one answers an error with the success of giving up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'minio';

export interface JoinTarget {
  readonly bucket: string;
  readonly key: string;
  /** Of the object as we know it; another one is not copied. */
  readonly etag: string;
  readonly size: number;
}

/** The server answers only when a part is copied: short ones are done within the deadline of an answer. */
const COPY_BYTES = 256 * 1024 ** 2;
const GIVE_UP_MS = 2_000;

/** Ranges of about the same length: no part but the last of all may be short. */
const ranges = (size: number): readonly string[] => {
  const count = Math.ceil(size / COPY_BYTES);
  const starts = Array.from({ length: count }, (_none, index) => Math.floor((size * index) / count));
  return starts.map((start, index) => `bytes=${String(start)}-${String((starts[index + 1] ?? size) - 1)}`);
};

export const joinLog = async (
  client: Client,
  { bucket, key, etag, size }: JoinTarget,
  content: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<void> => {
  const id = await client.initiateNewMultipartUpload(bucket, key, { ...headers });
  const source = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const part = (partNumber: number, more: Record<string, string>, bytes?: Buffer) =>
    client.uploadPart(
      { bucketName: bucket, objectName: key, uploadID: encodeURIComponent(id), partNumber, headers: more },
      bytes,
    );
  try {
    const done: { part: number; etag: string }[] = [];
    for (const range of ranges(size)) {
      const copied = await part(done.length + 1, {
        'x-amz-copy-source': source,
        'x-amz-copy-source-range': range,
        'x-amz-copy-source-if-match': etag,
      });
      done.push({ part: done.length + 1, etag: copied.etag });
    }
    const last = await part(done.length + 1, {}, content);
    done.push({ part: done.length + 1, etag: last.etag });
    await client.completeMultipartUpload(bucket, key, id, done);
  } catch (thrown) {
    // After a lost answer there may be nothing to give up; what stays behind is collected with other unfinished uploads.
    const givenUp = client.abortMultipartUpload(bucket, key, encodeURIComponent(id)).catch(() => undefined);
    await Promise.race([givenUp, sleep(GIVE_UP_MS, undefined, { ref: false })]);
    throw thrown;
  }
};
