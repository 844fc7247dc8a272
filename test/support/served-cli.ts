/** The command line against a served API, over real HTTP on loopback, with a folder for what is applied. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { serve } from '../../src/api/serve.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { createProgram } from '../../src/cli/program.ts';
import { openApp, type ServedApp } from './served.ts';

export interface ServedCli {
  readonly api: ServedApp;
  readonly url: string;
  readonly folder: string;
  /** What a command prints. Asks this API unless `--url` says otherwise. Rejects as the command does. */
  drover(...args: string[]): Promise<string>;
  /** What the last command printed, also one that was refused. */
  printed(): string;
  close(): Promise<void>;
}

/** `prepare`: of each program before it runs. */
export const openCli = async (prepare: (program: Command) => void = () => undefined): Promise<ServedCli> => {
  const api = await openApp();
  const served = await serve(api.app, { host: '127.0.0.1', port: 0, setting: 'HTTP_PORT' });
  const folder = await mkdtemp(join(tmpdir(), 'drover-cli-'));
  let lines: string[] = [];
  return {
    api,
    url: served.url,
    folder,
    async drover(...args) {
      lines = [];
      const program = createProgram({
        out: (text) => lines.push(text),
        isTerminal: false,
        client: ({ url }) => createApiClient({ url: url ?? served.url, token: undefined, actor: 'cli:test' }),
        env: {},
        signal: new AbortController().signal,
      });
      prepare(program);
      await program.parseAsync(['node', 'drover', ...args]);
      return lines.join('\n');
    },
    printed: () => lines.join('\n'),
    async close() {
      await served.close();
      await api.close();
      await rm(folder, { recursive: true });
    },
  };
};
