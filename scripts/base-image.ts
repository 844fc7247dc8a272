/** The base of the bot image: a local one, one that a registry has, or one made from Debian's packages. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, chmod, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type Docker from 'dockerode';
import { DroverError } from '../src/domain/errors.ts';
import { aptInstall } from './apt.ts';
import { canInstall, onPath, runCommand, thisMachine, type Machine, type Progress } from './machine.ts';

export type { Progress } from './machine.ts';

const MAJOR = process.versions.node.split('.')[0] ?? '20';
const FROM_REGISTRY = 'node:20-bookworm-slim';
const LOCAL = `drover-base:bookworm-node${process.versions.node}`;
const PACKAGES = 'python3,tini,ca-certificates,libstdc++6';
/** A registry that says nothing for this long is none. */
const SILENCE_MS = 20_000;

const exists = async (docker: Docker, image: string): Promise<boolean> =>
  docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );

/** What went wrong with a long call of the engine: it also says so in the stream, after an answer that all is well. */
const errorIn = (error: Error | null, output: unknown): string | undefined =>
  error?.message ??
  (Array.isArray(output) ? (output as { error?: string }[]) : []).find((line) => line.error !== undefined)?.error;

const pull = async (docker: Docker, image: string, progress: Progress): Promise<boolean> => {
  const silence = new AbortController();
  let timer = setTimeout(() => {
    silence.abort();
  }, SILENCE_MS);
  try {
    const stream = await docker.pull(image, { abortSignal: silence.signal });
    await new Promise<void>((resolve, reject) => {
      silence.signal.addEventListener('abort', () => {
        reject(new Error('the registry is silent'));
      });
      docker.modem.followProgress(
        stream,
        (error, output: unknown) => {
          const failed = errorIn(error, output);
          if (failed === undefined) resolve();
          else reject(new Error(failed));
        },
        (event: { status?: string; id?: string }) => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            silence.abort();
          }, SILENCE_MS);
          progress(`pulling ${image}`, `${event.id ?? ''} ${event.status ?? ''}`);
        },
      );
    });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
};

/** Tells each line that a long command prints. @throws DroverError IMAGE_UNAVAILABLE with its last line */
export const runTold = async (
  command: string,
  args: readonly string[],
  tell: (line: string) => void,
  machine: Machine = thisMachine,
): Promise<void> => {
  try {
    await runCommand(command, args, tell, { machine });
  } catch (thrown) {
    throw new DroverError('IMAGE_UNAVAILABLE', thrown instanceof Error ? thrown.message : String(thrown), {
      cause: thrown,
    });
  }
};

/** @throws DroverError IMAGE_UNAVAILABLE */
export const ensureDebootstrap = async (progress: Progress, machine: Machine = thisMachine): Promise<void> => {
  if ((await onPath('debootstrap', machine)) !== undefined) return;
  if (!(await canInstall(machine))) {
    throw new DroverError(
      'IMAGE_UNAVAILABLE',
      `${FROM_REGISTRY} cannot be pulled, and without root on Debian or Ubuntu no base can be made`,
    );
  }
  const step = 'installing debootstrap';
  progress(step);
  try {
    await aptInstall(
      ['debootstrap'],
      (line) => {
        progress(step, line);
      },
      machine,
    );
  } catch (thrown) {
    const word = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DroverError('IMAGE_UNAVAILABLE', `debootstrap could not be installed: ${word}`, { cause: thrown });
  }
};

const makeFromPackages = async (docker: Docker, progress: Progress): Promise<void> => {
  await ensureDebootstrap(progress);
  const folder = await mkdtemp(join(tmpdir(), 'drover-base-'));
  try {
    const root = join(folder, 'root');
    await runTold('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'bookworm', root], (line) => {
      progress('making a base from Debian packages', line);
    });
    await mkdir(join(root, 'usr/local/bin'), { recursive: true });
    await copyFile(process.execPath, join(root, 'usr/local/bin/node'));
    await chmod(join(root, 'usr/local/bin/node'), 0o755);
    await rm(join(root, 'var/cache/apt'), { recursive: true, force: true });
    progress('importing the base');
    const [repo = '', tag = ''] = LOCAL.split(':');
    // It gets its name when all of it is there: what a broken tar left is never taken for the base.
    const unfinished = `unfinished-${basename(folder).toLowerCase()}`;
    const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const over = once(tar, 'close') as Promise<[number | null]>;
    over.catch(() => undefined);
    const stream = await docker.importImage(tar.stdout, { repo, tag: unfinished });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output: unknown) => {
        const failed = errorIn(error, output);
        if (failed === undefined) resolve();
        else reject(new DroverError('IMAGE_UNAVAILABLE', `the base could not be imported: ${failed}`));
      });
    });
    const [code] = await over;
    const image = docker.getImage(`${repo}:${unfinished}`);
    try {
      if (code !== 0) throw new DroverError('IMAGE_UNAVAILABLE', `tar ended with ${String(code)}`);
      await image.tag({ repo, tag });
    } finally {
      await image.remove();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Name of an image to build on. */
export const ensureBaseImage = async (docker: Docker, progress: Progress): Promise<string> => {
  if (await exists(docker, LOCAL)) return LOCAL;
  if (await exists(docker, FROM_REGISTRY)) return FROM_REGISTRY;
  progress(`asking for ${FROM_REGISTRY}`);
  if (await pull(docker, FROM_REGISTRY, progress)) return FROM_REGISTRY;
  if (process.platform !== 'linux' || MAJOR !== '20') {
    throw new DroverError(
      'IMAGE_UNAVAILABLE',
      `${FROM_REGISTRY} cannot be pulled; a base of our own needs Linux and Node 20`,
    );
  }
  await makeFromPackages(docker, progress);
  return LOCAL;
};
