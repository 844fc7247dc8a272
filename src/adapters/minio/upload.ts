/**
 * A stream of unknown length as one object. Not the package's own way: that takes parts of over 500 MiB into memory,
 * joins an unfinished upload of the same key, whoever began it, and leaves its own behind when the source fails.
 */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'minio';
import { Refusal } from './refusal.ts';

export interface UploadSettings {
  /** Of what is kept in memory; 10 000 parts make the largest object. */
  readonly partSize: number;
  /** Who has just failed does not wait long for a server that may be away. */
  readonly giveUpMs: number;
}

/** The largest archive of code is then 80 GiB. */
const CODE_ARCHIVES: UploadSettings = { partSize: 8 * 1_024 * 1_024, giveUpMs: 2_000 };

export interface Uploader {
  put(bucket: string, key: string, content: Readable, headers: Readonly<Record<string, string>>): Promise<void>;
}

interface Unfinished {
  readonly bucket: string;
  readonly key: string;
  readonly id: string;
}

/**
 * Pieces of `partSize`, the last one shorter; one empty piece for no bytes at all. Each is a view of the same memory: it is
 * good until the next one is asked for.
 */
async function* inParts(content: Readable, partSize: number): AsyncGenerator<Buffer> {
  const part = Buffer.allocUnsafeSlow(partSize);
  let size = 0;
  let any = false;
  for await (const piece of content as AsyncIterable<Buffer | string>) {
    let rest = typeof piece === 'string' ? Buffer.from(piece) : piece;
    while (rest.length > 0) {
      const taken = rest.copy(part, size);
      rest = rest.subarray(taken);
      size += taken;
      if (size < partSize) continue;
      yield part;
      any = true;
      size = 0;
    }
  }
  if (size > 0 || !any) yield part.subarray(0, size);
}

export const createUploader = (client: Client, settings: UploadSettings = CODE_ARCHIVES): Uploader => {
  const { partSize, giveUpMs } = settings;
  /** What could not be given up because the server was away; tried again with the next upload. */
  const unfinished = new Set<Unfinished>();

  const giveUp = async (upload: Unfinished): Promise<void> => {
    unfinished.add(upload);
    try {
      await client.abortMultipartUpload(upload.bucket, upload.key, encodeURIComponent(upload.id));
      unfinished.delete(upload);
    } catch (thrown) {
      // Not there any more, or a server that knows no giving up: asking again changes nothing.
      if (thrown instanceof Refusal && thrown.status < 500) unfinished.delete(upload);
    }
  };

  const putParts = async (upload: Unfinished, parts: AsyncIterable<Buffer>): Promise<void> => {
    const done: { part: number; etag: string }[] = [];
    for await (const part of parts) {
      const { bucket: bucketName, key: objectName, id } = upload;
      const partNumber = done.length + 1;
      const where = { bucketName, objectName, uploadID: encodeURIComponent(id), partNumber, headers: {} };
      const { etag } = await client.uploadPart(where, part);
      done.push({ part: partNumber, etag });
    }
    await client.completeMultipartUpload(upload.bucket, upload.key, upload.id, done);
  };

  return {
    put: async (bucket, key, content, headers) => {
      for (const upload of [...unfinished]) void giveUp(upload);
      const parts = inParts(content, partSize);
      const first = (await parts.next()).value as Buffer;
      if (first.length < partSize) {
        // Nothing is sent before the source has ended well.
        await parts.next();
        await client.putObject(bucket, key, first, first.length, { ...headers });
        return;
      }
      const id = await client.initiateNewMultipartUpload(bucket, key, { ...headers });
      const upload = { bucket, key, id };
      const all = async function* (): AsyncGenerator<Buffer> {
        yield first;
        yield* parts;
      };
      try {
        await putParts(upload, all());
      } catch (thrown) {
        await Promise.race([giveUp(upload), sleep(giveUpMs, undefined, { ref: false })]);
        throw thrown;
      }
    },
  };
};
