/** Live chunks of a bot's log on a real server, with a user that may do nothing but publish them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { connect } from 'nats';
import { freePort } from '../../scripts/free-port.ts';
import { openBotLog } from '../../src/runtime/logs/bot-log.ts';
import { followLog } from '../../src/runtime/logs/follow-log.ts';
import { createLivePublisher } from '../../src/runtime/logs/live.ts';
import { natsTest as it, noOwnNats, type NatsTools } from './nats-support.ts';

const CONFIG = `authorization { users: [
  { user: bot, password: pw, permissions: { publish: "the0.bot.logs.>", subscribe: { deny: ">" } } }
  { user: api, password: pw }
] }`;

const withLogin = (url: string, user: string): string => url.replace(/\/\/(.*@)?/, `//${user}:pw@`);

const readerAt = async (nats: NatsTools, url: string, subject: string) => {
  const { host } = new URL(url);
  const connection = await connect({
    servers: host,
    user: 'api',
    pass: 'pw',
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  nats.later(() => connection.close());
  const chunks: Buffer[] = [];
  connection.subscribe(subject, { callback: (_error, message) => chunks.push(Buffer.from(message.data)) });
  await connection.flush();
  return chunks;
};

describe.skipIf(noOwnNats !== undefined)(`live logs ${noOwnNats ?? ''}`, () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'drover-live-'))));
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('carries what the bot prints, whole lines in order, over rotations', async ({ nats }) => {
    const server = await nats.start({ config: CONFIG, login: 'api:pw' });
    const chunks = await readerAt(nats, server.url, 'the0.bot.logs.bot_1_');
    const log = openBotLog(join(folder, 'bot.log'), { fileBytes: 20_000, files: 3 });
    log.append('before anybody looked\n');
    const live = createLivePublisher({ url: withLogin(server.url, 'bot'), botId: 'bot 1ü' });
    nats.later(live.close);
    await expect.poll(() => (live.publish('ready?\n'), chunks.length)).toBeGreaterThan(0);
    chunks.length = 0;
    const end = followLog({ logsPath: folder, onText: live.publish, everyMs: 20 });
    let expected = '';
    for (let n = 0; n < 3_000; n += 1) {
      log.append(`line ${String(n)}\n`);
      expected += `line ${String(n)}\n`;
      if (n % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
    }
    log.append('unfinished');
    end();
    const told = (): string =>
      Buffer.concat(chunks)
        .toString()
        .replace(/^(ready\?\n)+/, '');
    await expect.poll(told).toBe(`${expected}unfinished`);
    expect(chunks.slice(0, -1).every((chunk) => chunk.at(-1) === 10)).toBe(true);
  });

  it('cuts at newlines below what the server takes', async ({ nats }) => {
    const server = await nats.start({ config: `${CONFIG}\nmax_payload: 8KB`, login: 'api:pw' });
    const chunks = await readerAt(nats, server.url, 'the0.bot.logs.b');
    const live = createLivePublisher({ url: withLogin(server.url, 'bot'), botId: 'b' });
    nats.later(live.close);
    await expect.poll(() => (live.publish('ready?\n'), chunks.length)).toBeGreaterThan(0);
    chunks.length = 0;
    const text = `${'a'.repeat(5_000)}\n${'b'.repeat(5_000)}\n${'ü'.repeat(10_000)}\n`;
    live.publish(text);
    const told = (): string =>
      Buffer.concat(chunks)
        .toString()
        .replace(/^(ready\?\n)+/, '');
    await expect.poll(told).toBe(text);
    expect(chunks.every((chunk) => chunk.length <= 8 * 1024 && !chunk.toString().includes('\ufffd'))).toBe(true);
  });

  it('drops while the server is away or frozen, in bounded memory, and goes on when it is back', async ({ nats }) => {
    const server = await nats.start({ config: CONFIG, login: 'api:pw', started: false });
    const live = createLivePublisher({ url: withLogin(server.url, 'bot'), botId: 'b' });
    nats.later(live.close);
    live.publish('nobody is there\n');
    await server.start();
    const chunks = await readerAt(nats, server.url, 'the0.bot.logs.b');
    await expect.poll(() => (live.publish('ready?\n'), chunks.length)).toBeGreaterThan(0);
    server.freeze();
    const before = process.memoryUsage().rss;
    const block = Buffer.alloc(1024 ** 2 - 100, 'x'.repeat(63) + '\n');
    for (let n = 0; n < 200; n += 1) live.publish(block);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 ** 2);
    server.thaw();
    await expect.poll(() => (live.publish('again\n'), chunks.at(-1)?.toString())).toBe('again\n');
    expect(Buffer.concat(chunks).toString()).not.toContain('nobody');
  });

  it('does not hold anybody up where nobody listens', async () => {
    const live = createLivePublisher({ url: `nats://127.0.0.1:${String(await freePort())}`, botId: 'b' });
    live.publish('x\n');
    await live.close();
    expect(() => createLivePublisher({ url: 'http://x', botId: 'b' })).toThrow(/NATS_URL/);
  });
});
