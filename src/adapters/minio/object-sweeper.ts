/** Listing and removing in the logs and state buckets, and our note there, on any server that speaks S3. */
import { buffer } from 'node:stream/consumers';
import { IncomingMessage } from 'node:http';
import { DroverError } from '../../domain/errors.ts';
import { GARBAGE_NOTE_KEY, type SweptBucket } from '../../domain/garbage.ts';
import type { ObjectSweeper, SweptObject, UnfinishedUpload } from '../../ports/object-sweeper.ts';
import { createClient } from './client.ts';
import { parseEndpoint } from './endpoint.ts';
import type { MinioSettings } from './minio-archives.ts';
import { Refusal } from './refusal.ts';
import { isMissing, isMissingBucket, toArchiveError, type Attempt } from './to-archive-error.ts';

/** The most that a server lists or removes at once. */
const PAGE = 1_000;
/** The request for many lists its keys in XML, which does not carry every character unchanged; the others go one by one. */
const PLAIN = /^[\w!$()*+,\-./:;=@[\]^{|}~]+$/;
/** Another writer was faster: over other content, over none, or at the same moment. */
const LOST: ReadonlySet<number> = new Set([404, 409, 412]);
/** This server knows no conditions. */
const NOT_IMPLEMENTED = 501;

/** Answers as they may really be: the package's types promise more than its reading of XML keeps. */
interface Listed {
  readonly objects: readonly { readonly name?: string; readonly size?: number; readonly lastModified?: Date }[];
  readonly isTruncated?: unknown;
  readonly nextContinuationToken?: string | number;
}
interface ListedUploads {
  readonly uploads: readonly { readonly key: unknown; readonly uploadId: unknown; readonly initiated: Date }[];
  readonly isTruncated?: unknown;
  readonly nextKeyMarker?: string | number;
}

const isTrue = (value: unknown): boolean => value === true || value === 'true';
const quoted = (tag: string): string => `"${tag.replaceAll('"', '')}"`;

/** Does not connect. @throws DroverError CONFIG_INVALID when a swept bucket also holds code or query results */
export const createObjectSweeper = (settings: MinioSettings, page = PAGE): ObjectSweeper => {
  const endpoint = parseEndpoint(settings.endpoint, settings.useSsl);
  const client = createClient(endpoint, settings);
  const { code, queryResults, ...names } = settings.buckets;
  for (const name of Object.values(names)) {
    if (name !== code && name !== queryResults) continue;
    throw new DroverError('CONFIG_INVALID', `bucket ${name} also holds code or query results: gc does not sweep it`);
  }

  const explain = (thrown: unknown, bucket: SweptBucket, right: Attempt['right']): DroverError =>
    toArchiveError(thrown, { bucket: names[bucket], right }, endpoint);
  const tried = async <T>(bucket: SweptBucket, right: Attempt['right'], work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw explain(thrown, bucket, right);
    }
  };
  /** Of a bucket that is not there: this instead. */
  const orEmpty = async <T>(
    bucket: SweptBucket,
    right: Attempt['right'],
    empty: T,
    work: () => Promise<T>,
  ): Promise<T> =>
    tried(bucket, right, () =>
      work().catch((thrown: unknown) => {
        if (isMissingBucket(thrown)) return empty;
        throw thrown;
      }),
    );

  const removeOne = async (bucket: SweptBucket, key: string): Promise<string | undefined> => {
    try {
      await client.removeObject(names[bucket], key);
      return undefined;
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      // A refusal of this key is this key's; anything else is the server's.
      const error = explain(thrown, bucket, 's3:DeleteObject');
      if (thrown instanceof Refusal && thrown.status < 500 && error.code !== 'ARCHIVE_FORBIDDEN') return error.message;
      throw error;
    }
  };

  const put = async (text: string, condition: Readonly<Record<string, string>>): Promise<IncomingMessage> => {
    const [bucketName, objectName] = [names.state, GARBAGE_NOTE_KEY];
    const headers = { 'Content-Type': 'application/json', ...condition };
    const answer = await client.makeRequestAsync({ method: 'PUT', bucketName, objectName, headers }, Buffer.from(text));
    answer.resume();
    return answer;
  };
  const putWhere = async (text: string, over: string | undefined): Promise<IncomingMessage> => {
    const condition = over === undefined ? { 'If-None-Match': '*' } : { 'If-Match': quoted(over) };
    try {
      return await put(text, condition);
    } catch (thrown) {
      if (isMissingBucket(thrown) && over === undefined) {
        await client.makeBucket(names.state);
        return put(text, condition);
      }
      if (thrown instanceof Refusal && thrown.status === NOT_IMPLEMENTED) return put(text, {});
      throw thrown;
    }
  };

  return {
    async *objects(bucket, prefix) {
      let token = '';
      do {
        const list = (): Promise<Listed> => client.listObjectsV2Query(names[bucket], prefix, token, '', page, '');
        const listed = await orEmpty(bucket, 's3:ListBucket', undefined, list);
        if (listed === undefined) return;
        yield listed.objects.flatMap(({ name, size, lastModified }): SweptObject[] => {
          if (name === undefined || name === '') return [];
          return [{ key: name, size: size ?? 0, modified: new Date(lastModified ?? NaN).getTime() }];
        });
        token = isTrue(listed.isTruncated) ? String(listed.nextContinuationToken ?? '') : '';
        // Beginning again, or ending here, would take a part for the whole.
        if (isTrue(listed.isTruncated) && token === '') {
          throw explain(new Error('the list is truncated and has no continuation token'), bucket, 's3:ListBucket');
        }
      } while (token !== '');
    },
    uploads: (bucket) =>
      orEmpty(bucket, 's3:ListBucketMultipartUploads', [], async () => {
        const all: UnfinishedUpload[] = [];
        let marker = '';
        for (;;) {
          const listed: ListedUploads = await client.listIncompleteUploadsQuery(names[bucket], '', marker, '', '');
          for (const { key, uploadId, initiated } of listed.uploads) {
            all.push({ bucket, key: String(key), uploadId: String(uploadId), begun: initiated.getTime() });
          }
          const next = String(listed.nextKeyMarker ?? '');
          // What is not seen now is seen by a later sweep.
          if (!isTrue(listed.isTruncated) || next === '' || next === marker) return all;
          marker = next;
        }
      }),
    remove: async (bucket, keys) => {
      const failed: { key: string; why: string }[] = [];
      const plain = keys.filter((key) => PLAIN.test(key));
      for (let start = 0; start < plain.length; start += page) {
        const batch = plain.slice(start, start + page);
        const refused = await orEmpty(bucket, 's3:DeleteObject', [], () => client.removeObjects(names[bucket], batch));
        for (const answer of refused) {
          const { Key: key = '', Code: word = '', Message: more = '' } = (answer ?? {}) as Record<string, string>;
          if (word !== 'NoSuchKey') failed.push({ key, why: `${word}: ${more}` });
        }
      }
      for (const key of keys.filter((other) => !PLAIN.test(other))) {
        const why = await removeOne(bucket, key);
        if (why !== undefined) failed.push({ key, why });
      }
      return failed;
    },
    abort: (upload) =>
      tried(upload.bucket, 's3:AbortMultipartUpload', async () => {
        const { bucket, key, uploadId } = upload;
        try {
          await client.abortMultipartUpload(names[bucket], key, encodeURIComponent(uploadId));
        } catch (thrown) {
          if (!(thrown instanceof Refusal && thrown.status === 404)) throw thrown;
        }
      }),
    readNote: () =>
      tried('state', 's3:GetObject', async () => {
        try {
          const answer = await client.getObject(names.state, GARBAGE_NOTE_KEY);
          if (!(answer instanceof IncomingMessage)) throw new Error('the answer has no headers');
          const tag = answer.headers.etag ?? '';
          const content = await buffer(answer);
          if (content.length !== Number(answer.headers['content-length'])) throw new Error('the note is incomplete');
          return { text: content.toString('utf8'), tag };
        } catch (thrown) {
          if (isMissing(thrown)) return undefined;
          throw thrown;
        }
      }),
    writeNote: (text, over) =>
      tried('state', 's3:PutObject', async () => {
        try {
          return (await putWhere(text, over)).headers.etag ?? '';
        } catch (thrown) {
          if (thrown instanceof Refusal && LOST.has(thrown.status) && !isMissingBucket(thrown)) return undefined;
          throw thrown;
        }
      }),
  };
};
