/** A shell in a folder, as a reader has it: what one block changes (folder, variables), the next one finds. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { signalGroup } from '../../scripts/signal-group.ts';
import { until } from '../../scripts/until.ts';

/** Of one block: some build or wait. */
const LONGEST_MS = 240_000;
/** drover ends within ten seconds. */
const END_MS = 60_000;

const throwFirst = (failed: readonly (string | undefined)[]): void => {
  const first = failed.find((each) => each !== undefined);
  if (first !== undefined) throw new Error(first);
};

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

export interface DocShell {
  readonly folder: string;
  /** Resolves with the exit code and what was printed, on both outputs. @throws Error when the shell itself has ended */
  run(commands: string): Promise<Outcome>;
  /** Goes on beside what follows. Returns a way to read what has become of it so far; the code is 0 as long as it runs. */
  background(commands: string): Promise<() => Outcome>;
  /** As Ctrl-C does in each of its terminals. Resolves once all of it has ended. @throws Error when some of it had failed */
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
  // The same for this one, which reads its commands there.
  shell.stdin?.write("trap 'kill -TERM 0' EXIT\n");
  // What a block has left running in the background, such as a drover, belongs to the group of its shell.
  const end = async (children: readonly ChildProcess[]): Promise<void> => {
    for (const child of children) signalGroup(child.pid, 'SIGTERM');
    for (const child of children) {
      const otherwise = (): string => `what this shell has started did not end: ${String(child.pid)}`;
      await until(() => !signalGroup(child.pid, 0), { within: END_MS, otherwise }).catch((thrown: unknown) => {
        signalGroup(child.pid, 'SIGKILL');
        throw thrown;
      });
    }
  };
  /** Of what runs in the background: why it has failed before it was ended. */
  const failures: (() => string | undefined)[] = [];
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
      // Sourced: `cd` and `export` stay. Nothing in it may read what is to be run next. A command that fails in the middle counts.
      const source = `failed=0; set -E; trap 'failed=$?' ERR; source ${file} < /dev/null; code=$?; trap - ERR`;
      shell.stdin?.write(`${source}; printf '\\n%s %s\\n' ${mark} $((failed ? failed : code))\n`);
      const hasEnded = (): string | undefined => {
        const code = end.exec(printed)?.[1];
        // An `exit` in it ends the shell itself, and nothing after it would run.
        if (code === undefined && (shell.exitCode ?? shell.signalCode) !== null) {
          throw new Error(`the shell has ended:\n${commands}\n${printed}`);
        }
        return code;
      };
      const code = await until(hasEnded, {
        within: LONGEST_MS,
        otherwise: () => `these commands did not end:\n${commands}\n${printed}`,
      });
      return { code: Number(code), output: printed.replace(end, '') };
    },
    async background(commands) {
      const file = await keep(commands);
      // When the tests are cut off, its input ends, and so does all that it has started. Until then it waits for that: its input
      // would end with it.
      const watch = 'exec 3<&0; (cat <&3 > /dev/null; kill -TERM 0) &';
      const child = start(['-c', `${watch} set -e; source ${file} < /dev/null; wait`]);
      started.push(child);
      let own = '';
      failures.push(() => ((child.exitCode ?? 0) === 0 ? undefined : `these commands failed:\n${commands}\n${own}`));
      read(child, (text) => {
        own += text;
        beside += text;
      });
      return () => ({ code: child.exitCode ?? 0, output: own });
    },
    output: () => beside,
    endBackground: async () => {
      const failed = failures.splice(0).map((failure) => failure());
      await end(started.splice(1));
      throwFirst(failed);
    },
    async close() {
      const failed = failures.splice(0).map((failure) => failure());
      await end(started);
      await rm(folder, { recursive: true, force: true });
      await rm(aside, { recursive: true, force: true });
      throwFirst(failed);
    },
  };
};
