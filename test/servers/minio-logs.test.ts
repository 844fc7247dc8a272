/** Day objects on a real MinIO: the contract, with keys for the bot's own prefix alone, and what becomes of lost answers. */
import { buffer } from 'node:stream/consumers';
import { AssumeRoleProvider } from 'minio/dist/esm/AssumeRoleProvider.mjs';
import { describe, expect } from 'vitest';
import { until } from '../../scripts/until.ts';
import { createMinioLogArchives } from '../../src/adapters/minio/bot-logs.ts';
import type { S3Access } from '../../src/domain/store-access.ts';
import { logArchivesContract } from '../contract/log-archives-contract.ts';
import { cases } from '../support/full.ts';
import { BOT as SHIPPED_BOT, openLogFolder } from '../support/log-folder.ts';
import { expectWhole, runAndKill } from '../support/logs/crash-run.ts';
import { expectFlood, runFlood, shipFlood } from '../support/logs/run-flood.ts';
import { openSlowProxy } from '../support/slow-proxy.ts';
import {
  freshBuckets,
  minioEnv as env,
  minioTest,
  noMinio,
  plainClient,
  refusalOf,
  removeBuckets,
  unfinishedUploads,
} from './minio-support.ts';

const KILLS = cases(5, 15);

const BOT = 'bot 1 ü+%';
const STREAM = 'a'.repeat(16);
const DAY = '20260131';

type Buckets = ReturnType<typeof freshBuckets>;
type Keys = Required<Pick<S3Access, 'accessKey' | 'secretKey' | 'sessionToken'>>;

/** As a bot's container gets them: its own prefix and nothing else. */
const keysOf = async (botId: string, buckets: Buckets): Promise<Keys> => {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
        Resource: [`arn:aws:s3:::${buckets.logs}/logs/${botId}/*`],
      },
    ],
  };
  const provider = new AssumeRoleProvider({
    stsEndpoint: `http://${env['MINIO_ENDPOINT'] ?? ''}`,
    accessKey: env['MINIO_ACCESS_KEY'] ?? '',
    secretKey: env['MINIO_SECRET_KEY'] ?? '',
    policy: JSON.stringify(policy),
    action: 'AssumeRole',
  });
  const keys = await provider.getCredentials();
  return { accessKey: keys.getAccessKey(), secretKey: keys.getSecretKey(), sessionToken: keys.getSessionToken() ?? '' };
};

const accessAt = (endpoint: string, buckets: Buckets, keys: Keys): S3Access => ({
  kind: 's3',
  endpoint,
  useSsl: false,
  buckets: { state: buckets.state, logs: buckets.logs },
  ...keys,
});

const open = async (botId: string) => {
  const buckets = freshBuckets();
  const client = plainClient(env);
  await client.makeBucket(buckets.logs);
  const endpoint = env['MINIO_ENDPOINT'] ?? '';
  const access = accessAt(endpoint, buckets, await keysOf(botId, buckets));
  const key = (day: string): string => `logs/${botId}/${day}.log`;
  return {
    access,
    buckets,
    client,
    key,
    open: () => createMinioLogArchives(access, botId),
    content: async (day: string) => {
      try {
        return await buffer(await client.getObject(buckets.logs, key(day)));
      } catch (thrown) {
        if ((thrown as { code?: string }).code === 'NoSuchKey') return undefined;
        throw thrown;
      }
    },
    overwrite: async (day: string, content: Buffer) => {
      await client.putObject(buckets.logs, key(day), content, content.length);
    },
    keys: async () => {
      const names: string[] = [];
      for await (const { name } of client.listObjectsV2(buckets.logs, '', true) as AsyncIterable<{ name: string }>) {
        names.push(name);
      }
      return names.sort();
    },
    /** Removes what a killed or cut off upload leaves, which the controller collects. */
    abandon: async () => {
      const { uploads } = await client.listIncompleteUploadsQuery(buckets.logs, '', '', '', '');
      for (const { key: name, uploadId } of uploads as unknown as { key: string; uploadId: string }[]) {
        await client.abortMultipartUpload(buckets.logs, name, encodeURIComponent(uploadId));
      }
    },
    close: async () => {
      try {
        expect(await unfinishedUploads(client, buckets.logs)).toBe(0);
      } finally {
        await removeBuckets(client, buckets);
      }
    },
    messages: async () => {
      const messages: string[] = [];
      for await (const { name } of client.listObjectsV2(buckets.logs, '', true) as AsyncIterable<{ name: string }>) {
        const content = await buffer(await client.getObject(buckets.logs, name));
        for (const line of content.toString().trimEnd().split('\n')) {
          messages.push((JSON.parse(line) as { message: string }).message);
        }
      }
      return messages;
    },
  };
};

const it = minioTest
  .extend('fixture', async ({}, { onCleanup }) => {
    const fixture = await open(BOT);
    onCleanup(fixture.close);
    return fixture;
  })
  /** Of the bot whose logs are shipped from a folder. */
  .extend('shipped', async ({}, { onCleanup }) => {
    const shipped = await open(SHIPPED_BOT);
    onCleanup(shipped.close);
    return shipped;
  })
  .extend('folder', ({}, { onCleanup }) => {
    const folder = openLogFolder();
    onCleanup(folder.close);
    return folder;
  });

describe.skipIf(noMinio !== undefined)(noMinio ?? 'logs on MinIO', () => {
  logArchivesContract('MinIO', () => open(BOT));

  it('leaves text/plain, a mark, and nothing else', async ({ fixture }) => {
    const { client, buckets, key } = fixture;
    const big = Buffer.alloc(6 * 1024 ** 2, 'x'.repeat(63) + '\n');
    for (const [index, content] of [Buffer.from('1\n'), big, Buffer.from('2\n')].entries()) {
      await fixture.open().append(DAY, { stream: STREAM, from: index, to: index + 1 }, content);
      const { metaData } = await client.statObject(buckets.logs, key(DAY));
      expect(metaData).toMatchObject({ 'content-type': 'text/plain', 'drover-log': `${STREAM}:${String(index + 1)}` });
    }
    expect(await fixture.keys()).toEqual([key(DAY)]);
  });

  it('may not write into the log of another bot', async ({ fixture }) => {
    const archives = createMinioLogArchives(fixture.access, 'another');
    const error = await refusalOf(archives.append(DAY, { stream: STREAM, from: 0, to: 1 }, Buffer.from('x\n')));
    expect(error.code).toBe('ARCHIVE_FORBIDDEN');
  });

  it.for([
    ['short', 0],
    ['long', 6 * 1024 ** 2],
  ] as const)('appends once when the answer is lost: a %s day', async ([, size], { fixture, proxy }) => {
    // Signed for the proxy's address, so it is the address that MinIO is told.
    const archives = createMinioLogArchives({ ...fixture.access, endpoint: proxy.address }, BOT);
    const start = Buffer.alloc(size, 'x'.repeat(63) + '\n');
    if (size > 0) await fixture.overwrite(DAY, start);
    proxy.loseAnswers = 0.3;
    let refused = 0;
    let at = 0;
    // Chance decides what is lost: it goes on until enough was.
    while (at < 40 || refused <= 5) {
      const piece = { stream: STREAM, from: at, to: at + 1 + Math.floor(Math.random() * 3) };
      const content = Array.from({ length: piece.to - at }, (_none, index) => `line ${String(at + index)}\n`).join('');
      try {
        at = await archives.append(DAY, piece, Buffer.from(content));
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
        refused += 1;
      }
    }
    const content = ((await fixture.content(DAY)) ?? Buffer.of()).subarray(size).toString();
    expect(content).toBe(Array.from({ length: at }, (_none, index) => `line ${String(index)}\n`).join(''));
    await fixture.abandon();
  });

  it('loses nothing when two write into one day at once', async ({ fixture }) => {
    const write = async (stream: string): Promise<void> => {
      const archives = fixture.open();
      for (let at = 0; at < 15;) {
        try {
          at = await archives.append(DAY, { stream, from: at, to: at + 1 }, Buffer.from(`${stream} ${String(at)}\n`));
        } catch (thrown) {
          // Beaten three times in a row: it is tried again later.
          expect(thrown).toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
        }
      }
    };
    await Promise.all([write(STREAM), write('b'.repeat(16))]);
    const lines = ((await fixture.content(DAY)) ?? Buffer.of()).toString().trimEnd().split('\n');
    for (const stream of [STREAM, 'b'.repeat(16)]) {
      expect(lines.filter((line) => line.startsWith(stream))).toEqual(
        Array.from({ length: 15 }, (_none, index) => `${stream} ${String(index)}`),
      );
    }
  });

  it.concurrent(
    `keeps every line over ${String(KILLS)} kills of who prints and of who ships`,
    async ({ folder, shipped }) => {
      const acknowledged = await runAndKill({ logsPath: folder.logsPath, access: shipped.access, kills: KILLS });
      const report = await folder.shipper(shipped.open()).ship({ final: true });
      expect(report).toEqual({ status: 'shipped', droppedBytes: 0 });
      expectWhole(await shipped.messages(), acknowledged);
      await shipped.abandon();
    },
  );

  it.concurrent(
    'R12: gives up nothing and shows nothing half on a link of 200 kB/s',
    async ({ fixture, onTestFinished }) => {
      const proxy = await openSlowProxy(env['MINIO_ENDPOINT'] ?? '', 200_000);
      onTestFinished(proxy.close);
      const archives = createMinioLogArchives({ ...fixture.access, endpoint: proxy.address }, BOT);
      // Takes longer than any answer may: it is the silence that is measured, not the work.
      const content = Buffer.alloc(2.5 * 1024 ** 2, 'x'.repeat(63) + '\n');
      const piece = { stream: STREAM, from: 0, to: content.length };
      let done = false;
      const appending = archives.append(DAY, piece, content).finally(() => (done = true));
      appending.catch(() => undefined);
      const look = async (): Promise<boolean> => {
        const seen = await fixture.content(DAY);
        expect(seen === undefined || seen.equals(content)).toBe(true);
        return done;
      };
      await until(look, { within: 150_000, every: 500 });
      expect(await appending).toBe(content.length);
      expect((await fixture.content(DAY))?.equals(content)).toBe(true);
    },
  );

  it.concurrent('R31: takes what is left of a flood, in bounded memory', async ({ folder, shipped }) => {
    await runFlood(folder);
    await shipFlood(folder.logsPath, shipped.access);
    const messages = await shipped.messages();
    expectFlood(messages.slice(1));
  });
});
