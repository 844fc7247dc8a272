/** The base of the bot image: a local one, one that a registry has, or one made from Debian's packages. */
import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm, chmod, readFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { DroverError } from '../src/domain/errors.ts';

export type Progress = (step: string, detail?: string) => void;

const run = promisify(execFile);
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
        (error) => {
          if (error === null) resolve();
          else reject(error);
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

/** Tells each line that a long command prints. @throws DroverError ENGINE_INSTALL_UNSUPPORTED with its last words */
export const runTold = (command: string, args: readonly string[], tell: (line: string) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    let last = '';
    const take = (chunk: Buffer): void => {
      for (const line of chunk
        .toString()
        .split('\n')
        .filter((text) => text.trim() !== '')) {
        last = line;
        tell(line);
      }
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new DroverError('ENGINE_INSTALL_UNSUPPORTED', `${command} ended with ${String(code)}: ${last}`));
    });
  });

/** Root on Debian or Ubuntu: what we need can be installed. */
export const canInstall = async (): Promise<boolean> => {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return process.getuid?.() === 0 && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release);
};

const needDebootstrap = async (progress: Progress): Promise<void> => {
  const found = await run('sh', ['-c', 'command -v debootstrap']).catch(() => undefined);
  if (found !== undefined) return;
  if (!(await canInstall())) {
    throw new DroverError(
      'IMAGE_UNAVAILABLE',
      `${FROM_REGISTRY} cannot be pulled, and without root on Debian or Ubuntu no base can be made`,
    );
  }
  progress('installing debootstrap');
  await runTold('apt-get', ['update'], (line) => {
    progress('installing debootstrap', line);
  });
  await runTold('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], (line) => {
    progress('installing debootstrap', line);
  });
};

const makeFromPackages = async (docker: Docker, progress: Progress): Promise<void> => {
  await needDebootstrap(progress);
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
    const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [repo, tag] = LOCAL.split(':');
    const stream = await docker.importImage(tar.stdout, { repo: repo ?? '', tag: tag ?? '' });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
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
