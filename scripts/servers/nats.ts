/** A NATS server for tests: the one the environment names, else one of our own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGreeting } from '../../src/adapters/nats/greeting.ts';
import { parseServers } from '../../src/adapters/nats/server-list.ts';
import { freePort } from '../free-port.ts';
import { findNats } from './find-nats.ts';
import { createServerProcess, type ServerProcess } from './server-process.ts';
import { type Progress, type TestServer } from './test-server.ts';

export interface NatsTestServer extends TestServer {
  readonly url: string;
}

/** One that tests may end, freeze and start again. */
export interface OwnNats extends NatsTestServer, ServerProcess {
  readonly port: number;
}

export interface NatsOptions {
  readonly progress: Progress;
  /** Does it keep streams? */
  readonly jetstream?: boolean;
}

export interface OwnNatsOptions extends NatsOptions {
  /** More of its configuration, e.g. users; in its own language. */
  readonly config?: string;
  /** `user:password` of ours, for the URL. */
  readonly login?: string;
  /** False: not yet, the test does it. */
  readonly started?: boolean;
}

const ANSWER_MS = 2_000;

const answersAt = async (url: string): Promise<boolean> => {
  const [server] = parseServers(url);
  if (server === undefined) return false;
  await readGreeting(server, ANSWER_MS, new AbortController().signal);
  return true;
};

/** @throws NoServer */
export const startOwnNats = async (options: OwnNatsOptions): Promise<OwnNats> => {
  const { progress, jetstream = true, config = '', login, started = true } = options;
  const command = await findNats(progress);
  const folder = await mkdtemp(join(tmpdir(), 'drover-nats-'));
  const port = await freePort();
  const file = join(folder, 'nats.conf');
  const store = jetstream ? `jetstream { store_dir: ${JSON.stringify(join(folder, 'store'))} }` : '';
  await writeFile(file, `host: 127.0.0.1\nport: ${String(port)}\n${store}\n${config}\n`);
  const url = `nats://${login === undefined ? '' : `${login}@`}127.0.0.1:${String(port)}`;
  const server = createServerProcess({
    command,
    args: ['-c', file],
    env: process.env,
    answers: () => answersAt(url),
  });
  const stop = async (): Promise<void> => {
    server.thaw();
    await server.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (started) await server.start();
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { ...server, port, url, env: { NATS_URL: url }, how: `nats-server (${command})`, stop };
};

/** @throws NoServer */
export const startNats = async (options: NatsOptions): Promise<NatsTestServer> => {
  const url = process.env['NATS_URL'];
  // What the environment names may keep streams or not: a test that needs it without has one of its own.
  if (url === undefined || url === '' || options.jetstream === false) return startOwnNats(options);
  return { url, env: { NATS_URL: url }, how: 'server at NATS_URL', stop: () => Promise.resolve() };
};
