/** The machine that is set up: its programs, its rights, and commands run on it. Tests give one of their own. */
import { spawn } from 'node:child_process';
import { access, constants, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Told of each step that takes longer than a moment, and again with the last word of who is at work on it. */
export type Progress = (step: string, detail?: string) => void;

export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly uid: number | undefined;
  /** Where the folders of the system begin: `/`. */
  readonly root: string;
  /** Milliseconds between two attempts when another process holds a lock, and how long it is waited for. */
  readonly lockRetryMs: number;
  readonly lockWithinMs: number;
  /** Milliseconds after which a command that has printed nothing is told of again. */
  readonly silentMs: number;
  /** How long an engine that was started may take to answer. */
  readonly engineWithinMs: number;
}

export const thisMachine: Machine = {
  // Read when it is asked for: tests and `npm test` change it.
  get env() {
    return process.env;
  },
  platform: process.platform,
  uid: process.getuid?.(),
  root: '/',
  lockRetryMs: 1_000,
  lockWithinMs: 600_000,
  silentMs: 30_000,
  engineWithinMs: 60_000,
};

/** Not on the PATH of everybody, and servers are there. */
const SBIN = ['usr/local/sbin', 'usr/sbin', 'sbin'];

export const foldersOf = ({ env, root }: Machine): readonly string[] => [
  ...(env['PATH'] ?? '').split(delimiter).filter((part) => part !== ''),
  ...SBIN.map((folder) => join(root, folder)),
];

export const isProgram = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
};

/** Path of the program, or undefined. */
export const onPath = async (name: string, machine: Machine): Promise<string | undefined> => {
  for (const folder of foldersOf(machine)) {
    const path = join(folder, name);
    if (await isProgram(path)) return path;
  }
  return undefined;
};

export const cacheFolder = ({ env }: Machine): string =>
  join(env['DROVER_CACHE'] ?? env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache'), 'drover');

/** Root on Debian or Ubuntu: what we need can be installed. */
export const canInstall = async (machine: Machine = thisMachine): Promise<boolean> => {
  const release = await readFile(join(machine.root, 'etc/os-release'), 'utf8').catch(() => '');
  return machine.uid === 0 && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release);
};

/** A command that failed: its last line in the message, the end of its output besides. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly output: string;

  constructor(message: string, output = '') {
    super(message);
    this.output = output;
  }
}

export interface CommandOptions {
  readonly machine?: Machine;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const TAIL = 8_000;

/** Runs a command and tells each line that it prints, and while it is silent, for how long it has run. @throws CommandFailed */
export const runCommand = (
  command: string,
  args: readonly string[],
  tell: (line: string) => void,
  { machine = thisMachine, cwd, env = {} }: CommandOptions = {},
): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Messages are read below, so they come in one language.
      env: {
        ...machine.env,
        PATH: foldersOf(machine).join(delimiter),
        DEBIAN_FRONTEND: 'noninteractive',
        LC_ALL: 'C.UTF-8',
        ...env,
      },
      ...(cwd === undefined ? {} : { cwd }),
    });
    let output = '';
    let last = '';
    const begun = performance.now();
    const life = setInterval(() => {
      tell(`${String(Math.round((performance.now() - begun) / 1_000))} s ${last}`);
    }, machine.silentMs);
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-TAIL);
      for (const line of chunk
        .toString()
        .split('\n')
        .filter((text) => text.trim() !== '')) {
        last = line;
        tell(line);
      }
      life.refresh();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (error) => {
      clearInterval(life);
      reject(new CommandFailed(`${command} cannot be run: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      clearInterval(life);
      if (code === 0) resolve();
      else reject(new CommandFailed(`${command} ended with ${String(code ?? signal)}: ${last.trim()}`, output));
    });
  });

/** Does it run at all? A program for another processor, or one without its libraries, does not. */
export const runs = (path: string, args: readonly string[], machine: Machine): Promise<boolean> =>
  runCommand(path, args, () => undefined, { machine }).then(
    () => true,
    () => false,
  );

const running = new WeakMap<Machine, Map<string, Promise<unknown>>>();

/** What several ask for at once is made once; whoever asks after it has failed, tries again. */
export const madeOnce = async <T>(machine: Machine, key: string, make: () => Promise<T>): Promise<T> => {
  const ofMachine = running.get(machine) ?? new Map<string, Promise<unknown>>();
  running.set(machine, ofMachine);
  const under = ofMachine.get(key) as Promise<T> | undefined;
  if (under !== undefined) return under;
  const making = make().finally(() => ofMachine.delete(key));
  ofMachine.set(key, making);
  return making;
};
