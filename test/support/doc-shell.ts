/** A shell in a folder, as a reader has it: what one block changes (folder, variables), the next one finds. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { until } from '../../scripts/until.ts';

/** Of one block: some build or wait. */
const LONGEST_MS = 240_000;

export interface DocShell {
  readonly folder: string;
  /** Resolves with the exit code and what was printed, on both outputs. */
  run(commands: string): Promise<{ readonly code: number; readonly output: string }>;
  /** Goes on beside what follows. Returns a way to read what it has printed so far. */
  background(commands: string): Promise<() => string>;
  /** As Ctrl-C does in each of its terminals. Resolves once all of it has ended. */
  endBackground(): Promise<void>;
  /** Of what runs in the background. */
  output(): string;
  close(): Promise<void>;
}

/** `folder` is removed when the shell is closed. */
export const openDocShell = async (folder: string, env: Readonly<Record<string, string>>): Promise<DocShell> => {
  const aside = await mkdtemp(join(tmpdir(), 'drover-docs-blocks-'));
  const start = (args: readonly string[]): ChildProcess =>
    spawn('bash', ['--noprofile', '--norc', ...args], {
      cwd: folder,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that what it has started ends with it.
      detached: true,
    });
  const shell = start([]);
  const started: ChildProcess[] = [shell];
  let printed = '';
  let beside = '';
  const read = (child: ChildProcess, take: (text: string) => void): void => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        take(stripVTControlCharacters(text));
      });
    }
  };
  read(shell, (text) => (printed += text));
  const end = async (children: readonly ChildProcess[]): Promise<void> => {
    const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const closed = running.map((child) => once(child, 'close'));
    for (const child of children) {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has ended by itself.
      }
    }
    await Promise.all(closed);
  };
  let blocks = 0;
  const keep = async (commands: string): Promise<string> => {
    const file = join(aside, String((blocks += 1)));
    await writeFile(file, `${commands}\n`);
    return file;
  };
  return {
    folder,
    async run(commands) {
      const file = await keep(commands);
      const mark = randomBytes(8).toString('hex');
      const end = new RegExp(`\n?${mark} (\\d+)\n`);
      printed = '';
      // Sourced: `cd` and `export` stay. Nothing in it may read what is to be run next.
      shell.stdin?.write(`source ${file} < /dev/null; printf '\\n%s %s\\n' ${mark} $?\n`);
      // An `exit` in it ends the shell itself.
      const code = await until(() => end.exec(printed)?.[1] ?? shell.exitCode ?? undefined, {
        within: LONGEST_MS,
        otherwise: () => `these commands did not end:\n${commands}\n${printed}`,
      });
      return { code: Number(code), output: printed.replace(end, '') };
    },
    async background(commands) {
      const child = start([await keep(commands)]);
      started.push(child);
      let own = '';
      read(child, (text) => {
        own += text;
        beside += text;
      });
      return () => own;
    },
    output: () => beside,
    endBackground: () => end(started.splice(1)),
    async close() {
      await end(started);
      await rm(folder, { recursive: true, force: true });
      await rm(aside, { recursive: true, force: true });
    },
  };
};
