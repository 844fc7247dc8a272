/** The image of drover itself: the bundle, and the libraries it needs, as the lock file names them. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type Docker from 'dockerode';
import { DroverError } from '../src/domain/errors.ts';
import { runTold, type Progress } from './base-image.ts';
import { bundleDrover } from './build-drover.ts';
import { ensureTaggedImage, type ContextFiles } from './tagged-image.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** What nobody runs, and Dockerfiles copy files, not links. */
const NOT_RUN = /(^|\/)\.bin\/|\.package-lock\.json$|\.d\.[cm]?ts$|\.map$/;
const CPUS: Readonly<Record<string, string>> = { amd64: 'x64', x86_64: 'x64', arm64: 'arm64', aarch64: 'arm64' };

const read = (path: string): Promise<Buffer> => readFile(resolve(ROOT, path));

/** Architecture of the engine in npm's words: native packages are for it, not for this machine. */
const cpuOf = async (docker: Docker): Promise<string> => {
  const { Arch: arch } = await docker.version();
  const cpu = CPUS[arch];
  if (cpu === undefined) throw new DroverError('IMAGE_UNAVAILABLE', `drover is not made for engines on ${arch}`);
  return cpu;
};

/** node_modules as a fresh install makes it for the engine's machine; this checkout's own may be of another. */
const libraries = async (cpu: string, progress: Progress): Promise<ContextFiles> => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-image-'));
  try {
    for (const name of ['package.json', 'package-lock.json']) await writeFile(join(folder, name), await read(name));
    const step = 'installing the libraries of drover';
    progress(step);
    const target = ['--os=linux', `--cpu=${cpu}`, '--libc=glibc'];
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    await runTold('npm', ['--prefix', folder, 'ci', '--omit=dev', ...target, ...quiet], (line) => {
      progress(step, line);
    });
    const root = join(folder, 'node_modules');
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const files = new Map<string, Buffer>();
    for (const path of paths.sort()) {
      const name = relative(root, path);
      if (!NOT_RUN.test(name)) files.set(`app/node_modules/${name}`, await readFile(path));
    }
    return files;
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DroverError('IMAGE_UNAVAILABLE', `the libraries of drover cannot be installed: ${detail}`, {
      cause: thrown,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/**
 * Makes the image if need be. Returns its content tag; `drover:<version of package.json>` names the same image.
 * @throws DroverError IMAGE_UNAVAILABLE
 */
export const ensureDroverImage = async (options: { docker: Docker; progress: Progress }): Promise<string> => {
  const { docker, progress } = options;
  const cpu = await cpuOf(docker);
  const { version } = JSON.parse((await read('package.json')).toString()) as { version: string };
  const files = new Map([
    ['Dockerfile', await read('compose/drover-image/Dockerfile')],
    ['cpu', Buffer.from(cpu)],
    ['package-lock.json', await read('package-lock.json')],
    ['app/package.json', await read('package.json')],
    ['app/bin/drover.js', await read('bin/drover.js')],
  ]);
  for (const [name, content] of await bundleDrover()) files.set(`app/dist/${name}`, content);
  return ensureTaggedImage(
    docker,
    {
      repository: 'drover',
      tag: version,
      what: 'the image of drover',
      files,
      gather: () => libraries(cpu, progress),
    },
    progress,
  );
};
