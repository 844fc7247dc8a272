/** A drover process that takes queries, on ports that it chooses itself and says in its log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { toAsked, type Asked } from './query-spine.ts';
import { until } from '../../scripts/until.ts';

const BIN = resolve(import.meta.dirname, '../../bin/drover.js');
const READY_MS = 120_000;
const SERVERS = /^(MONGO_|NATS_|MINIO_)/;

export type LogLine = Readonly<Record<string, unknown>>;

export interface QueryProcess {
  /** Of its API; of the query server where it has no API. */
  readonly url: string;
  /** Undefined when its query port was taken. */
  readonly queryUrl: string | undefined;
  /** `GET /v1/bots/<id>/query<path>` of its query server. */
  ask(id: string, path: string): Promise<Asked>;
  /** `POST /query`. */
  askOld(body: object): Promise<Asked>;
  /** What it said so far. */
  log(): readonly LogLine[];
  output(): string;
  /** Sends the signal and waits for the end; resolves with the exit code, null after a signal. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

const parsed = (line: string): readonly LogLine[] => {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    return [];
  }
};

/** Resolves once it says that it is up. @throws Error with its output when it ends before */
export const startQueryProcess = async (
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<QueryProcess> => {
  // Servers that are meant for other tests are not meant for it.
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SERVERS.test(name)));
  const ports = { HTTP_HOST: '127.0.0.1', HTTP_PORT: '0', QUERY_SERVER_HOST: '127.0.0.1', QUERY_SERVER_PORT: '0' };
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...inherited, ...ports, ...env, LOG_FORMAT: 'json' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  const output = (): string => lines.join('\n');
  const log = (): readonly LogLine[] => lines.flatMap(parsed);
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end: QueryProcess['end'] = async (signal) => {
    if (isOver()) return child.exitCode;
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  };

  const isUp = (): LogLine | undefined => {
    if (isOver()) throw new Error(`drover ${args.join(' ')} ended with ${String(child.exitCode)}:\n${output()}`);
    return log().find(({ msg }) => msg === 'drover started');
  };
  const otherwise = async (): Promise<string> => {
    await end('SIGKILL');
    return `drover ${args.join(' ')} was not up:\n${output()}`;
  };
  const up = await until(isUp, { within: READY_MS, every: 50, otherwise });
  const { url, queryUrl } = up as { readonly url: string; readonly queryUrl?: string };
  const at = (path: string): string => `${queryUrl ?? ''}${path}`;
  return {
    url,
    queryUrl,
    log,
    output,
    end,
    ask: async (id, path) => toAsked(await fetch(at(`/v1/bots/${encodeURIComponent(id)}/query${path}`))),
    askOld: async (body) => toAsked(await fetch(at('/query'), { method: 'POST', body: JSON.stringify(body) })),
  };
};
