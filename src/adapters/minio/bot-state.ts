/**
 * The state of a bot in the state bucket (contract §4). Rights needed: reading, writing and deleting below `<botId>/*`, and
 * listing with that prefix; nothing else of the bucket.
 */
import { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Client } from 'minio';
import { CopyDestinationOptions, CopySourceOptions } from 'minio';
import { archiveKeySteps } from '../../domain/archive-key.ts';
import type { S3Access } from '../../domain/store-access.ts';
import { parseSnapshot, snapshotText, type SnapshotId } from '../../domain/sync-report.ts';
import type { OpenArchive } from '../../ports/archive-store.ts';
import {
  compareSnapshots,
  snapshotOfManifest,
  STATE_NAMES,
  straysAmong,
  type StateArchives,
} from '../../ports/state-archives.ts';
import { createClient } from './client.ts';
import { parseEndpoint } from './endpoint.ts';
import { isMissing, isMissingBucket, toArchiveError, type Attempt } from './to-archive-error.ts';
import { createUploader } from './upload.ts';
import { wholeStream } from './whole-stream.ts';

const MARK = 'drover-snapshot';
/** Of what is kept in memory: the bot shares this container's memory. */
const PART_SIZE = 5 * 1_024 ** 2;
/** What one copy of the server takes at most. */
const COPY_AT_MOST = 5 * 1_024 ** 3;

/** Bytes a second that are waited for (fault R12). */
const SLOWEST = 8_000;

const openObject = async (
  client: Client,
  bucket: string,
  key: string,
  explain: (thrown: unknown) => Error,
): Promise<OpenArchive> => {
  const answer = await client.getObject(bucket, key);
  const size = answer instanceof IncomingMessage ? Number(answer.headers['content-length'] ?? NaN) : NaN;
  if (!(answer instanceof IncomingMessage) || !Number.isSafeInteger(size)) {
    answer.destroy();
    throw new Error('the server does not report the size');
  }
  // From here on the stream counts the time itself, and only while its reader wants more.
  answer.socket.setTimeout(0);
  return { size, content: wholeStream(answer, size, explain) };
};

/** @throws DroverError CONFIG_INVALID when these settings can never work */
export const createMinioStateArchives = (access: S3Access, botId: string): StateArchives => {
  const endpoint = parseEndpoint(access.endpoint, access.useSsl);
  // With a region nobody asks the server for the bucket's, which would take a right of its own.
  const client = createClient(endpoint, { ...access, region: access.region ?? 'us-east-1', slowest: SLOWEST });
  const uploader = createUploader(client, { partSize: PART_SIZE, giveUpMs: 2_000 });
  const bucket = access.buckets.state;
  const keyOf = (name: string): string => {
    const key = `${botId}/${name}`;
    archiveKeySteps(key);
    return key;
  };

  const explained = async <T>(right: Attempt['right'], key: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw toArchiveError(thrown, { bucket, right, filePath: key }, endpoint);
    }
  };
  /** A connection that breaks in the middle is an outage, and no damage of what is stored. */
  const openKey = (key: string): Promise<OpenArchive> =>
    openObject(client, bucket, key, (thrown) =>
      toArchiveError(thrown, { bucket, right: 's3:GetObject', filePath: key }, endpoint),
    );
  /** Undefined when there is no such object. A bucket that is gone is an outage, never an empty state. */
  const find = <T>(name: string, look: (key: string) => Promise<T>): Promise<T | undefined> => {
    const key = keyOf(name);
    return explained('s3:GetObject', key, async () => {
      try {
        return await look(key);
      } catch (thrown) {
        if (isMissing(thrown) && !isMissingBucket(thrown)) return undefined;
        throw thrown;
      }
    });
  };
  const readText = (name: string): Promise<string | undefined> =>
    find(name, async (key) => text((await openKey(key)).content));
  const write = (name: string, content: string, headers: Record<string, string>): Promise<void> => {
    const key = keyOf(name);
    const bytes = Buffer.from(content);
    return explained('s3:PutObject', key, async () => {
      await client.putObject(bucket, key, bytes, bytes.length, headers);
    });
  };
  const drop = (name: string): Promise<void> => {
    const key = keyOf(name);
    return explained('s3:PutObject', key, () => client.removeObject(bucket, key));
  };
  const copy = (from: string, to: string): Promise<void> => {
    const [source, target] = [keyOf(from), keyOf(to)];
    return explained('s3:PutObject', target, async () => {
      const { size, metaData } = await client.statObject(bucket, source);
      if (size < COPY_AT_MOST) {
        await client.copyObject(
          new CopySourceOptions({ Bucket: bucket, Object: source }),
          new CopyDestinationOptions({ Bucket: bucket, Object: target }),
        );
        return;
      }
      const mark = metaData[MARK] as string | undefined;
      const UserMetadata = mark === undefined ? {} : { [MARK]: mark };
      await client.composeObject(
        new CopyDestinationOptions({ Bucket: bucket, Object: target, UserMetadata, MetadataDirective: 'REPLACE' }),
        [new CopySourceOptions({ Bucket: bucket, Object: source })],
      );
    });
  };
  const legacy: StateArchives['legacy'] = () =>
    find(STATE_NAMES.legacy, async (key) => {
      const { etag, metaData } = await client.statObject(bucket, key);
      const snapshot = parseSnapshot(String(metaData[MARK] ?? ''));
      return { etag, ...(snapshot === undefined ? {} : { snapshot }) };
    });

  /** Names of archives and manifests below the bot's prefix. */
  const names = (): Promise<readonly string[]> =>
    explained('s3:ListBucket', `${botId}/`, async () => {
      const found: string[] = [];
      const prefix = `${botId}/`;
      const objects = client.listObjectsV2(bucket, `${prefix}a`, true) as AsyncIterable<{ name?: string }>;
      for await (const { name = '' } of objects) found.push(name.slice(prefix.length));
      return found;
    });

  return {
    list: async () =>
      (await names())
        .map(snapshotOfManifest)
        .filter((id): id is SnapshotId => id !== undefined)
        .sort(compareSnapshots),
    strays: async () => straysAmong(await names()),
    manifest: (id) => readText(STATE_NAMES.manifest(id)),
    open: (id) => find(STATE_NAMES.snapshot(id), openKey),
    sizeOf: (id) => find(STATE_NAMES.snapshot(id), async (key) => (await client.statObject(bucket, key)).size),
    put: (id, content) => {
      const key = keyOf(STATE_NAMES.snapshot(id));
      const headers = { 'Content-Type': 'application/gzip', [`X-Amz-Meta-${MARK}`]: snapshotText(id) };
      return explained('s3:PutObject', key, () => uploader.put(bucket, key, content, headers));
    },
    putManifest: (id, content) => write(STATE_NAMES.manifest(id), content, { 'Content-Type': 'application/json' }),
    remove: async (id) => {
      await drop(STATE_NAMES.manifest(id));
      await drop(STATE_NAMES.snapshot(id));
    },
    legacy,
    openLegacy: () => find(STATE_NAMES.legacy, openKey),
    promote: async (id, accepted) => {
      const there = await legacy();
      if (there !== undefined && there.snapshot === undefined && there.etag !== accepted) return false;
      await copy(STATE_NAMES.snapshot(id), STATE_NAMES.legacy);
      return true;
    },
    setLegacyAside: async () => {
      await copy(STATE_NAMES.legacy, STATE_NAMES.aside);
      await drop(STATE_NAMES.legacy);
    },
    choice: () => readText(STATE_NAMES.choice),
    putChoice: (content) => write(STATE_NAMES.choice, content, { 'Content-Type': 'application/json' }),
    dropChoice: () => drop(STATE_NAMES.choice),
  };
};
