/** Kills who appends and who ships, at random moments, and holds what is stored against what was printed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, expect } from 'vitest';
import type { StoreAccess } from '../../../src/domain/store-access.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** One file that starts at once: a kill shall hit our work, not the loading of it. */
export const bundled = async (script: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bundle-'));
  folders.push(folder);
  const outfile = join(folder, script.replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [fileURLToPath(new URL(script, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
};

interface Watched {
  readonly child: ChildProcess;
  readonly said: string[];
  readonly first: Promise<unknown>;
}

const start = (path: string, args: readonly string[]): Watched => {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(...chunk.toString().trimEnd().split('\n')));
  return { child, said, first: once(child.stdout, 'data') };
};

const kill = async ({ child }: Watched): Promise<void> => {
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
};

export interface CrashRun {
  readonly logsPath: string;
  readonly access: StoreAccess;
  /** Kills of each. */
  readonly kills: number;
}

/** run → the last line that was whole when it was killed, as far as it could say. */
export const runAndKill = async ({ logsPath, access, kills }: CrashRun): Promise<ReadonlyMap<number, number>> => {
  const [append, ship] = await Promise.all([bundled('append-forever.ts'), bundled('ship-forever.ts')]);
  const acknowledged = new Map<number, number>();
  const appending = async (): Promise<void> => {
    for (let run = 0; run < kills; run += 1) {
      const writer = start(append, [join(logsPath, 'bot.log'), String(run)]);
      await writer.first;
      await sleep(Math.random() * 120);
      await kill(writer);
      acknowledged.set(run, Number(writer.said.at(-1)));
    }
  };
  let over = false;
  const shipping = async (): Promise<void> => {
    for (let run = 0; run < kills || !over; run += 1) {
      const shipper = start(ship, [logsPath, JSON.stringify(access)]);
      // Some die before they have said a word.
      if (run % 3 !== 0) await shipper.first;
      await sleep(run % 3 === 0 ? 40 + Math.random() * 120 : Math.random() * 60);
      await kill(shipper);
    }
  };
  await Promise.all([appending().finally(() => (over = true)), shipping()]);
  return acknowledged;
};

/** Each line once and in order; of each run at most its last line is unfinished. */
export const expectWhole = (messages: readonly string[], acknowledged: ReadonlyMap<number, number>): void => {
  const numbers = new Map<number, number[]>();
  const broken: string[] = [];
  let latest = 0;
  for (const message of messages) {
    const [, run, line] = /^run (\d+) line (\d+) end$/.exec(message) ?? [];
    if (run === undefined) {
      broken.push(message);
      continue;
    }
    if (Number(run) < latest) throw new Error(`run ${run} after run ${String(latest)}`);
    latest = Number(run);
    const lines = numbers.get(latest) ?? [];
    lines.push(Number(line));
    numbers.set(latest, lines);
  }
  for (const [run, last] of acknowledged) {
    const lines = numbers.get(run) ?? [];
    expect(lines).toEqual(Array.from({ length: lines.length }, (_none, index) => index));
    expect(lines.length).toBeGreaterThan(last);
  }
  for (const message of broken) expect('run # line # end'.startsWith(message.replace(/\d+/g, '#'))).toBe(true);
  expect(broken.length).toBeLessThanOrEqual(acknowledged.size);
};
