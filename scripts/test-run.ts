/**
 * What belongs to one run of the tests, and what it leaves behind when it is cut off. Each run has a mark, which begins the names
 * of its installs and is on all else that its tests make on the engine, and a folder for all its temporary folders. A record of
 * the run lies in the cache of the user, where nobody else can write, until all of it is gone.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { cacheFolder, thisMachine, type Machine } from './machine.ts';
import { removeContainer } from './remove-install.ts';

/** On containers and networks that a test makes by itself. Its value is the mark of the run. */
export const RUN_LABEL = 'drover.test.run';
const INSTALL_LABEL = 'drover.install';

export interface RunOfTests {
  readonly mark: string;
  readonly folder: string;
  /** Of the process that runs the tests, and when the system started it: numbers of processes come again. */
  readonly pid: number;
  readonly startedAt: string | undefined;
  /** DOCKER_HOST of the run. */
  readonly host: string | undefined;
}

/** Installs of a run begin with this. */
export const installPrefix = (mark: string): string => `t${mark}`;

const recordsIn = (machine: Machine): string => join(cacheFolder(machine), 'test-runs');
const recordOf = (machine: Machine, mark: string): string => join(recordsIn(machine), `${mark}.json`);

/** As Linux counts it; undefined for a process that is gone, and elsewhere. */
const startOf = (pid: number): string | undefined => {
  try {
    // The name in brackets may hold spaces.
    return readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')
      .at(-1)
      ?.split(' ')[19];
  } catch {
    return undefined;
  }
};

const isAlive = ({ pid, startedAt }: RunOfTests): boolean => {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === startedAt;
};

export const openRun = async (machine: Machine = thisMachine): Promise<RunOfTests> => {
  const mark = randomBytes(4).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'drover-test-'));
  // Some tests become another user: those may pass, and not look around.
  await chmod(folder, 0o711);
  const { pid } = process;
  const run: RunOfTests = { mark, folder, pid, startedAt: startOf(pid), host: machine.env['DOCKER_HOST'] };
  await mkdir(recordsIn(machine), { recursive: true, mode: 0o700 });
  await writeFile(recordOf(machine, mark), JSON.stringify(run), { mode: 0o600 });
  return run;
};

/** Runs of this user whose process was killed. */
export const abandonedRuns = async (machine: Machine = thisMachine): Promise<readonly RunOfTests[]> => {
  const names = await readdir(recordsIn(machine)).catch((): string[] => []);
  const runs = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(recordsIn(machine), name), 'utf8').catch(() => '');
      try {
        return JSON.parse(text) as RunOfTests;
      } catch {
        return undefined;
      }
    }),
  );
  return runs.filter((run) => run !== undefined).filter((run) => !isAlive(run));
};

/** Names, by kind. */
export type LeftBehind = Readonly<Record<'containers' | 'volumes' | 'networks', readonly string[]>>;

/** Removes from the engine all that the tests of a run have made there, and returns what it was. */
export const sweepEngine = async (docker: Docker, { mark }: Pick<RunOfTests, 'mark'>): Promise<LeftBehind> => {
  const isOfRun = (labels: Readonly<Record<string, string>> | null | undefined): boolean =>
    labels?.[RUN_LABEL] === mark || labels?.[INSTALL_LABEL]?.startsWith(installPrefix(mark)) === true;
  const containers = (await docker.listContainers({ all: true })).filter(({ Labels }) => isOfRun(Labels));
  await Promise.all(containers.map(({ Id }) => removeContainer(docker, Id)));
  // Volumes that the engine made for a mount have no label: they go with the containers that had them.
  const mounted = new Set(containers.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)));
  const { Volumes: all } = await docker.listVolumes();
  const volumes = all.filter(({ Name, Labels }) => isOfRun(Labels) || mounted.has(Name));
  // One that somebody else uses is not ours alone, and the engine keeps it.
  await Promise.all(volumes.map(({ Name }) => docker.getVolume(Name).remove().catch(() => undefined))); // prettier-ignore
  const networks = (await docker.listNetworks()).filter(({ Labels }) => isOfRun(Labels));
  await Promise.all(networks.map(({ Id }) => docker.getNetwork(Id).remove().catch(() => undefined))); // prettier-ignore
  return {
    containers: containers.map(({ Id, Names }) => Names[0]?.slice(1) ?? Id),
    volumes: volumes.map(({ Name }) => Name),
    networks: networks.map(({ Name }) => Name),
  };
};

/** Only a folder of this user's own, where nobody else can put a link in the way of who removes it. */
const isOurs = async (folder: string): Promise<boolean> => {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
};

/** Removes its folder and then its record. Returns what was in the folder. Something that is about to end may still write there. */
export const closeRun = async (run: RunOfTests, machine: Machine = thisMachine): Promise<readonly string[]> => {
  const { mark, folder } = run;
  const isSafe = await isOurs(folder);
  const names = isSafe ? await readdir(folder) : [];
  if (isSafe) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  await rm(recordOf(machine, mark), { force: true });
  return names;
};
