/** Finds a Docker Engine; on Debian or Ubuntu as root, installs and starts one where there is none. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerSocket, findEngineHosts } from '../src/adapters/docker/find-engine.ts';
import { DroverError } from '../src/domain/errors.ts';
import { aptInstall } from './apt.ts';
import { dockerAt } from './docker-at.ts';
import { canInstall, foldersOf, onPath, runCommand, thisMachine, type Machine, type Progress } from './machine.ts';
import { until } from './until.ts';

const PROBE_MS = 5_000;

const wordOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

const engineAnswers = async (host: string): Promise<boolean> => {
  const over = new AbortController();
  try {
    await Promise.race([
      dockerAt(host).ping(),
      sleep(PROBE_MS, undefined, { signal: over.signal }).then(() => {
        throw new Error('no answer');
      }),
    ]);
    return true;
  } catch (thrown) {
    if (thrown instanceof DroverError) throw thrown;
    return false;
  } finally {
    over.abort();
  }
};

const isNamed = ({ env }: Machine): boolean => env['DOCKER_HOST'] !== undefined && env['DOCKER_HOST'] !== '';

const install = async (progress: Progress, machine: Machine): Promise<void> => {
  const step = 'no Docker Engine found: installing docker.io';
  progress(step);
  const told = (line: string): void => {
    progress(step, line);
  };
  try {
    await aptInstall(['docker.io', 'containerd', 'runc', 'iptables'], told, machine);
  } catch (thrown) {
    throw new DroverError('ENGINE_INSTALL_UNSUPPORTED', `docker.io could not be installed: ${wordOf(thrown)}`, {
      cause: thrown,
    });
  }
};

/** Is the process that the file names still this program? */
const isAlive = async (file: string, program: string): Promise<boolean> => {
  const pid = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (!/^\d+$/.test(pid)) return false;
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() === program;
};

/** An engine that was killed leaves pid files; if somebody else has that pid by now, the next engine takes it for itself. */
const dropStalePid = async (file: string, program: string): Promise<void> => {
  if (!(await isAlive(file, program))) await rm(file, { force: true });
};

interface Started {
  /** Why it will never answer, or undefined. */
  failure(): Promise<string | undefined>;
}

const start = async (dockerd: string, machine: Machine): Promise<Started> => {
  if (existsSync(join(machine.root, 'run/systemd/system'))) {
    await runCommand('systemctl', ['start', 'docker'], () => undefined, { machine });
    return { failure: () => Promise.resolve(undefined) };
  }
  const pidFile = join(machine.root, 'var/run/docker.pid');
  await dropStalePid(pidFile, 'dockerd');
  await dropStalePid(join(machine.root, 'var/run/docker/containerd/containerd.pid'), 'containerd');
  // No init system to do it: the engine outlives us by itself.
  // Not among the temporary files: those may be gone long before the engine is.
  const folder = join(machine.root, 'var/log');
  mkdirSync(folder, { recursive: true });
  const log = join(folder, 'drover-dockerd.log');
  const file = openSync(log, 'a', 0o600);
  const env: NodeJS.ProcessEnv = { ...machine.env, PATH: foldersOf(machine).join(delimiter) };
  delete env['TMPDIR'];
  const child: ChildProcess = spawn(dockerd, [], { detached: true, stdio: ['ignore', file, file], env });
  let over: string | undefined;
  child.once('error', (error) => {
    over = error.message;
  });
  child.once('exit', () => {
    // It may end long after it has answered, and its log may have been tidied away by then.
    over ??= existsSync(log) ? (readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '') : 'it ended';
  });
  child.unref();
  return {
    // Ours also ends when another process has started one: that one will answer.
    failure: async () => (over === undefined || (await isAlive(pidFile, 'dockerd')) ? undefined : `${over} (${log})`),
  };
};

/** The address of the first that answers, of those that may be there. @throws DroverError CONFIG_INVALID */
export const runningEngine = async (
  machine: Machine = thisMachine,
  progress: Progress = () => undefined,
): Promise<string | undefined> => {
  for (const host of await findEngineHosts(machine.env, machine.root)) {
    progress('looking for a Docker Engine', host);
    if (await engineAnswers(host)) return host;
  }
  return undefined;
};

/** @throws DroverError ENGINE_UNAVAILABLE or ENGINE_INSTALL_UNSUPPORTED, with what to do */
export const ensureEngine = async (
  progress: Progress,
  machine: Machine = thisMachine,
): Promise<{ host: string; startedByUs: boolean }> => {
  const running = await runningEngine(machine, progress);
  if (running !== undefined) return { host: running, startedByUs: false };
  if (isNamed(machine)) {
    throw new DroverError('ENGINE_UNAVAILABLE', `no engine answers at DOCKER_HOST=${machine.env['DOCKER_HOST'] ?? ''}`);
  }
  const hosts = await findEngineHosts(machine.env, machine.root);
  const nowhere = `no Docker Engine answers at ${hosts.join(', ')}`;
  let dockerd = await onPath('dockerd', machine);
  if (dockerd === undefined) {
    if (!(await canInstall(machine))) {
      throw new DroverError(
        'ENGINE_INSTALL_UNSUPPORTED',
        `${nowhere}; drover installs one itself only as root on Debian or Ubuntu`,
      );
    }
    await install(progress, machine);
    dockerd = await onPath('dockerd', machine);
    if (dockerd === undefined) throw new DroverError('ENGINE_INSTALL_UNSUPPORTED', 'docker.io came without dockerd');
  } else if (machine.uid !== 0) {
    throw new DroverError('ENGINE_UNAVAILABLE', `${nowhere}; ${dockerd} is here, but only root can start it`);
  }
  const host = dockerSocket(machine.root);
  // The package may have started it.
  if (await engineAnswers(host)) return { host, startedByUs: true };
  progress('starting the Docker Engine');
  let started: Started;
  try {
    started = await start(dockerd, machine);
  } catch (thrown) {
    throw new DroverError('ENGINE_UNAVAILABLE', `dockerd could not be started: ${wordOf(thrown)}`, { cause: thrown });
  }
  const came = async (): Promise<boolean> => {
    if (await engineAnswers(host)) return true;
    const failure = await started.failure();
    if (failure !== undefined) throw new Error(`dockerd ended at once: ${failure}`);
    return false;
  };
  try {
    await until(came, {
      within: machine.engineWithinMs,
      every: 50,
      otherwise: () => 'dockerd was started but does not answer',
    });
  } catch (thrown) {
    throw new DroverError('ENGINE_UNAVAILABLE', wordOf(thrown), { cause: thrown });
  }
  return { host, startedByUs: true };
};
