/** Code archives in a bucket of MinIO, or of another server that speaks S3 (contract §1.1, §4). */
import { IncomingMessage } from 'node:http';
import { archiveKeySteps } from '../../domain/archive-key.ts';
import { DroverError } from '../../domain/errors.ts';
import type { ArchiveStore, OpenArchive } from '../../ports/archive-store.ts';
import { createDigestCache } from '../common/code-digest.ts';
import { createBuckets, type BucketNames } from './buckets.ts';
import { createClient, type ClientSettings } from './client.ts';
import { parseEndpoint } from './endpoint.ts';
import { isMissing, isMissingBucket, toArchiveError, type Attempt } from './to-archive-error.ts';
import { createUploader } from './upload.ts';
import { wholeStream } from './whole-stream.ts';

export interface MinioSettings extends ClientSettings {
  /** `host:port`; a scheme before it decides about TLS instead of `useSsl`. */
  readonly endpoint: string;
  readonly useSsl: boolean;
  readonly buckets: BucketNames;
}

export interface MinioArchives extends ArchiveStore {
  /** Makes the buckets that are missing. Every call of the store does so by itself. @throws DroverError as ping */
  ensureBuckets(): Promise<void>;
}

/** Does not connect: the server may come later. @throws DroverError CONFIG_INVALID when the settings can never work */
export const createMinioArchives = (settings: MinioSettings): MinioArchives => {
  const endpoint = parseEndpoint(settings.endpoint, settings.useSsl);
  const client = createClient(endpoint, settings);
  const buckets = createBuckets(client, settings.buckets, endpoint);
  const uploader = createUploader(client);
  const bucket = settings.buckets.code;
  const digests = createDigestCache();

  const explain = (thrown: unknown, attempt: Attempt): Error => {
    // Whatever the server said, or did not say: its buckets may not be what they were.
    if (!(thrown instanceof DroverError)) buckets.forget();
    return toArchiveError(thrown, attempt, endpoint);
  };

  /** Undefined when there is no such object. */
  const find = async <T>(filePath: string, look: () => Promise<T>): Promise<T | undefined> => {
    archiveKeySteps(filePath);
    await buckets.ensure();
    try {
      return await look();
    } catch (thrown) {
      if (isMissingBucket(thrown)) buckets.forget();
      if (isMissing(thrown)) return undefined;
      throw explain(thrown, { bucket, right: 's3:GetObject', filePath });
    }
  };

  const openCode = (filePath: string): Promise<OpenArchive | undefined> =>
    find(filePath, async () => {
      // One answer tells both size and content, so they are of the same archive even while it is replaced.
      const answer = await client.getObject(bucket, filePath);
      const size = answer instanceof IncomingMessage ? Number(answer.headers['content-length'] ?? NaN) : NaN;
      if (!(answer instanceof IncomingMessage) || !Number.isSafeInteger(size)) {
        answer.destroy();
        throw new Error('the server does not report the size');
      }
      // From here on the stream counts the time itself, and only while its reader wants more.
      answer.socket.setTimeout(0);
      const content = wholeStream(answer, size, (thrown) =>
        explain(thrown, { bucket, right: 's3:GetObject', filePath }),
      );
      return { size, content };
    });

  return {
    ensureBuckets: () => buckets.ensure(),
    sizeOfCode: (filePath) => find(filePath, async () => (await client.statObject(bucket, filePath)).size),
    openCode,
    digestOfCode: async (filePath) => {
      const found = await find(filePath, () => client.statObject(bucket, filePath));
      return found === undefined ? undefined : digests.of(filePath, found.etag, () => openCode(filePath));
    },
    putCode: async (filePath, content) => {
      // A source that fails while we wait for the server is seen when it is read.
      content.on('error', () => undefined);
      try {
        archiveKeySteps(filePath);
        await buckets.ensure();
        await uploader.put(bucket, filePath, content, { 'Content-Type': 'application/zip' });
      } catch (thrown) {
        content.destroy();
        throw explain(thrown, { bucket, right: 's3:PutObject', filePath });
      }
    },
    ping: async () => {
      buckets.forget();
      await buckets.ensure();
    },
  };
};
