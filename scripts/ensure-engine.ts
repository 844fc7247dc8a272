/** Finds a Docker Engine; on Debian or Ubuntu as root, installs and starts one where there is none. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findEngineHosts } from '../src/adapters/docker/find-engine.ts';
import { DroverError } from '../src/domain/errors.ts';
import { canInstall, runTold, type Progress } from './base-image.ts';
import { dockerAt } from './docker-at.ts';

const run = promisify(execFile);
const START_MS = 60_000;
const PROBE_MS = 5_000;

const answers = async (host: string): Promise<boolean> => {
  try {
    await Promise.race([
      dockerAt(host).ping(),
      sleep(PROBE_MS).then(() => {
        throw new Error('no answer');
      }),
    ]);
    return true;
  } catch {
    return false;
  }
};

const has = (command: string): Promise<boolean> =>
  run('sh', ['-c', `command -v ${command}`]).then(
    () => true,
    () => false,
  );

const install = async (progress: Progress): Promise<void> => {
  const step = 'no Docker Engine found: installing docker.io';
  const told = (line: string): void => {
    progress(step, line);
  };
  await runTold('apt-get', ['update'], told);
  const packages = ['docker.io', 'containerd', 'runc', 'iptables'];
  await runTold('apt-get', ['install', '-y', '--no-install-recommends', ...packages], told);
};

/** An engine that was killed leaves pid files; if somebody else has that pid by now, the next engine takes it for itself. */
const dropStalePid = async (file: string, program: string): Promise<void> => {
  const pid = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (pid === '') return;
  const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
  if (name !== program) await rm(file, { force: true });
};

const start = async (): Promise<void> => {
  if (existsSync('/run/systemd/system')) {
    await run('systemctl', ['start', 'docker']);
    return;
  }
  await dropStalePid('/var/run/docker.pid', 'dockerd');
  await dropStalePid('/var/run/docker/containerd/containerd.pid', 'containerd');
  // No init system to do it: the engine outlives us by itself.
  // A folder of its own: a name that others can guess in a folder of all is no place for root to write.
  const log = openSync(join(mkdtempSync(join(tmpdir(), 'drover-dockerd-')), 'dockerd.log'), 'a');
  spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log] }).unref();
};

/** @throws DroverError ENGINE_UNAVAILABLE or ENGINE_INSTALL_UNSUPPORTED, with what to do */
export const ensureEngine = async (progress: Progress): Promise<{ host: string; startedByUs: boolean }> => {
  const hosts = await findEngineHosts(process.env);
  for (const host of hosts) {
    progress('looking for a Docker Engine', host);
    if (await answers(host)) return { host, startedByUs: false };
  }
  if (process.env['DOCKER_HOST'] !== undefined && process.env['DOCKER_HOST'] !== '') {
    throw new DroverError('ENGINE_UNAVAILABLE', `no engine answers at DOCKER_HOST=${process.env['DOCKER_HOST']}`);
  }
  if (!(await canInstall())) {
    throw new DroverError('ENGINE_INSTALL_UNSUPPORTED', `no Docker Engine answers at ${hosts.join(', ')}`);
  }
  if (!(await has('dockerd'))) await install(progress);
  progress('starting the Docker Engine');
  await start();
  const host = 'unix:///var/run/docker.sock';
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (await answers(host)) return { host, startedByUs: true };
    await sleep(200);
  }
  throw new DroverError('ENGINE_UNAVAILABLE', 'dockerd was started but does not answer');
};
