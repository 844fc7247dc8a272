/**
 * What belongs to one run of the tests, and what it leaves behind when it is cut off: each run has a mark that is in the names of
 * its installs and on all else that its tests make on the engine, and a folder in which all its temporary folders are.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { removeContainer } from './remove-install.ts';

/** On containers and networks that a test makes by itself. Its value is the mark of the run. */
export const RUN_LABEL = 'drover.test.run';
const INSTALL_LABEL = 'drover.install';

export interface RunOfTests {
  readonly mark: string;
  readonly folder: string;
}

/** Installs of a run begin with this. */
export const installPrefix = (mark: string): string => `t${mark}`;

const folderName = /^drover-test-(\d+)-([0-9a-f]{4})$/;

export const openRun = async (): Promise<RunOfTests> => {
  const mark = randomBytes(2).toString('hex');
  const folder = join(tmpdir(), `drover-test-${String(process.pid)}-${mark}`);
  await mkdir(folder, { mode: 0o755 });
  return { mark, folder };
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Runs on this machine whose process was killed. */
export const abandonedRuns = async (): Promise<readonly RunOfTests[]> => {
  const runs: RunOfTests[] = [];
  for (const name of await readdir(tmpdir())) {
    const [, pid, mark] = folderName.exec(name) ?? [];
    if (mark !== undefined && !isAlive(Number(pid))) runs.push({ mark, folder: join(tmpdir(), name) });
  }
  return runs;
};

/** Names, by kind. */
export type LeftBehind = Readonly<Record<'containers' | 'volumes' | 'networks', readonly string[]>>;

/** Removes from the engine all that the tests of a run have made there, and returns what it was. */
export const sweepEngine = async (docker: Docker, { mark }: RunOfTests): Promise<LeftBehind> => {
  const isOfRun = (labels: Readonly<Record<string, string>> | null | undefined): boolean =>
    labels?.[RUN_LABEL] === mark || labels?.[INSTALL_LABEL]?.startsWith(installPrefix(mark)) === true;
  const containers = (await docker.listContainers({ all: true })).filter(({ Labels }) => isOfRun(Labels));
  await Promise.all(containers.map(({ Id }) => removeContainer(docker, Id)));
  // Volumes that the engine made for a mount have no label: they go with the containers that had them.
  const mounted = new Set(containers.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)));
  const { Volumes: all } = await docker.listVolumes();
  const volumes = all.filter(({ Name, Labels }) => isOfRun(Labels) || mounted.has(Name));
  // One that somebody else uses is not ours alone, and the engine keeps it.
  await Promise.all(
    volumes.map(({ Name }) =>
      docker
        .getVolume(Name)
        .remove()
        .catch(() => undefined),
    ),
  );
  const networks = (await docker.listNetworks()).filter(({ Labels }) => isOfRun(Labels));
  await Promise.all(
    networks.map(({ Id }) =>
      docker
        .getNetwork(Id)
        .remove()
        .catch(() => undefined),
    ),
  );
  return {
    containers: containers.map(({ Id, Names }) => Names[0]?.slice(1) ?? Id),
    volumes: volumes.map(({ Name }) => Name),
    networks: networks.map(({ Name }) => Name),
  };
};

/** Returns what was in it. Something that is about to end may still write there. */
export const removeFolder = async ({ folder }: RunOfTests): Promise<readonly string[]> => {
  const names = await readdir(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  return names;
};
