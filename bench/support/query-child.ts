/** `drover`: a whole drover with a bot that answers; `bare`: a pass-through of nothing but undici. Says where it listens. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { docker, LOOPING } from '../../test/support/spine.ts';
import { startQuerySpine } from '../../test/support/query-spine.ts';

/** What the SDK's server does, without the SDK. */
export const SERVER = `const http = require('http');
const big = Buffer.alloc(1024 * 1024, 'x');
http.createServer(async (req, res) => {
  const path = new URL(req.url, 'http://x').pathname;
  req.resume();
  if (path === '/big') {
    res.writeHead(200, { 'content-type': 'application/octet-stream' });
    for (let sent = 0; sent < 100; sent += 1) if (!res.write(big)) await new Promise((go) => res.once('drain', go));
    res.end();
    return;
  }
  if (path === '/pid') { res.end(JSON.stringify({ status: 'ok', data: process.pid })); return; }
  const body = JSON.stringify({ status: 'ok', data: { price: 101.5, positions: [1, 2, 3], at: Date.now() } });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}).listen(9476, '0.0.0.0');
`;

const say = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

const drover = async (): Promise<void> => {
  const replyMb = Number(process.argv[3] ?? 64);
  const spine = await startQuerySpine({ query: { inFlightPerBot: 256, maxReplyBytes: replyMb * 1024 * 1024 } });
  await spine.deployAsked('bench', { 'main.js': LOOPING, 'query.js': SERVER });
  const { containerId } = await spine.reaches('bench', 'running');
  const { NetworkSettings } = await docker.getContainer(containerId ?? '').inspect();
  const [network] = Object.values(NetworkSettings.Networks);
  for (let tries = 0; (await spine.ask('bench', '/x')).status !== 200 && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  say({ url: spine.url, address: `http://${network?.IPAddress ?? ''}:9476`, pid: process.pid });
  process.stdin.resume().once('end', () => {
    void spine.end().then(() => process.exit(0));
  });
};

const bare = (): void => {
  const pool = new Pool(process.argv[3] ?? '', { connections: 64, pipelining: 1 });
  const server = createServer((request, response) => {
    request.resume();
    pool
      .stream({ path: '/x', method: 'POST', opaque: response }, ({ statusCode, headers, opaque }) => {
        const out = opaque;
        out.writeHead(statusCode, { 'content-type': String(headers['content-type']) });
        return out;
      })
      .catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1', () => {
    say({ url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, pid: process.pid });
  });
  process.stdin.resume().once('end', () => process.exit(0));
};

if (process.argv[2] === 'drover') await drover();
else bare();
