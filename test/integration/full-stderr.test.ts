/** What a real drover does when its log cannot be written: nothing else than without a log. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { runDrover } from '../../scripts/drover-process.ts';
import { until } from '../../scripts/until.ts';
import { aDocument } from '../support/served.ts';

const BIN = resolve(import.meta.dirname, '../../bin/drover.js');
let child: ChildProcess | undefined;
let folder: string | undefined;
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const start = async (stderr: number | 'pipe', format: string): Promise<{ child: ChildProcess; url: string }> => {
  folder = await mkdtemp(join(tmpdir(), 'drover-stderr-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const started = spawn(process.execPath, [BIN, 'up'], {
    env: {
      ...process.env,
      MONGO_URI: '',
      NATS_URL: '',
      MINIO_ENDPOINT: '',
      DROVER_DATA_DIR: join(folder, 'data'),
      // None is needed, and one that is away is a reason to log.
      DOCKER_HOST: `unix://${join(folder, 'none.sock')}`,
      HTTP_PORT: String(port),
      QUERY_SERVER_PORT: '0',
      LOG_LEVEL: 'DEBUG',
      LOG_FORMAT: format,
    },
    stdio: ['ignore', 'ignore', stderr],
  });
  child = started;
  // As the reader of `drover up 2>&1 | head -1` does.
  if (stderr === 'pipe') started.stderr?.once('data', () => started.stderr?.destroy());
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/v1/metrics`).then(
      ({ ok }) => ok,
      () => started.exitCode !== null && Promise.reject(new Error(`it ended with ${String(started.exitCode)}`)),
    );
  await until(isUp, { within: 120_000, every: 100, otherwise: () => 'drover up does not answer' });
  return { child: started, url };
};

describe('standard error', () => {
  it.each(['on a full disk', 'whose reader went away'])(
    'case E14: %s fails no call and ends no process',
    async (which) => {
      const full = openSync('/dev/full', 'w');
      const { child: process, url } =
        which === 'on a full disk' ? await start(full, 'json') : await start('pipe', 'pretty');
      closeSync(full);
      const call = async (method: string, path: string, body: unknown = {}): Promise<number> => {
        const headers = { 'content-type': 'application/json' };
        return (
          await fetch(url + path, { method, headers, ...(method === 'GET' ? {} : { body: JSON.stringify(body) }) })
        ).status;
      };
      for (let round = 0; round < 20; round += 1) {
        // Each says in the log what it did.
        expect(await call('POST', '/v1/confirm-removal')).toBe(202);
        expect(await call('PUT', `/v1/bots/bot-${String(round)}`, aDocument(`bot-${String(round)}`))).toBe(201);
      }
      expect(await call('GET', '/v1/bots/bot-19')).toBe(200);
      expect([process.exitCode, process.signalCode]).toEqual([null, null]);
      process.kill('SIGTERM');
      const [code] = (await once(process, 'exit')) as [number | null];
      expect(code).toBe(0);
    },
  );

  it('case E14: an output that cannot be written is an exit code, not a success', async () => {
    const full = openSync('/dev/full', 'w');
    const told = spawn(process.execPath, [BIN, 'config', '-o', 'json'], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let said = '';
    told.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(told, 'close')) as [number | null];
    expect([code, said]).toEqual([1, expect.stringMatching(/^drover: the output could not be written: .*ENOSPC/)]);
    expect(await runDrover(['version'], {})).toMatch(/^\d/);
  });
});
