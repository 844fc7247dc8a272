/** A controller as its own process, as an operator runs it: started, spoken to over HTTP, ended by any signal. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunningBot } from '../src/domain/running-bot.ts';
import { until } from './until.ts';

const BIN = resolve(import.meta.dirname, '../bin/drover.js');
/**
 * What `bin/drover.js` is bundled from. Never called: `npm test -- --changed` follows imports, and so finds the tests that run
 * the bundle.
 */
export const sourcesOfDrover = (): Promise<unknown> => import('../src/cli/main.ts');

const READY_MS = 120_000;

export interface DroverProcess {
  readonly url: string;
  readonly pid: number;
  /** Sends the signal and waits for the end; resolves with the exit code, null after a signal. */
  end(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): Promise<number | null>;
  /** Undefined for a bot that is not known (yet). */
  bot(id: string): Promise<RunningBot | undefined>;
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Everything it printed so far. */
  output(): string;
}

export interface DroverProcessOptions {
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
  /** `up` when not given. */
  readonly command?: 'up' | 'bot-runner' | 'bot-scheduler';
  /** Resolve as soon as it is alive, though it may wait for its stores. */
  readonly alive?: boolean;
}

const SERVERS = /^(MONGO_|NATS_|MINIO_)/;

/** Servers that are meant for tests are used only by who asks for them: everybody else wants the embedded default. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !SERVERS.test(name)));

/** Runs a subcommand of the command line to its end. @throws Error with its output when it fails */
export const runDrover = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`drover ${args.join(' ')} ended with ${String(code)}:\n${output}`);
  return output;
};

/** Alive is not enough: while a server is waited for, everything else is refused. */
const waitUntilUp = async (child: ChildProcess, url: string, path: string, output: () => string): Promise<void> => {
  const isUp = (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`drover up ended with ${String(child.exitCode)}:\n${output()}`);
    return fetch(url + path).then(
      (response) => response.ok || response.status === 401,
      () => false,
    );
  };
  await until(isUp, { within: READY_MS, every: 50, otherwise: () => `drover up did not answer:\n${output()}` });
};

/** Starts `drover up` and resolves once it answers. */
export const startDrover = async (options: DroverProcessOptions): Promise<DroverProcess> => {
  const { port, env, onLine, command = 'up', alive = false } = options;
  const url = `http://127.0.0.1:${String(port)}`;
  const child = spawn(process.execPath, [BIN, command], {
    // Any free port for queries: the usual one may be somebody's own.
    // Nor are those waited for that others run under the same id on the engine that all tests share.
    env: {
      QUERY_SERVER_PORT: '0',
      FOREIGN_INSTALLS: 'ignore',
      ...inherited(),
      ...env,
      HTTP_PORT: String(port),
      HTTP_HOST: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      onLine?.(line);
    });
  }
  const output = (): string => lines.join('\n');
  await waitUntilUp(child, url, alive ? '/healthz' : '/v1/metrics', output);
  const call: DroverProcess['call'] = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
  };
  return {
    url,
    pid: child.pid ?? 0,
    output,
    call,
    async bot(id) {
      const { status, body } = await call('GET', `/v1/bots/${encodeURIComponent(id)}`);
      return status === 200 ? (body as RunningBot) : undefined;
    },
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
};
