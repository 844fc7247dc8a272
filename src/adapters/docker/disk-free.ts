/**
 * The free share of the disk under the engine, measured where the engine is. On this host the system says it; where drover runs in
 * a container, or the engine on another host, a short-lived container of ours does.
 */
import { randomBytes } from 'node:crypto';
import { access, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { LABEL, TOOL_ROLE, type InstanceRole } from '../../domain/naming.ts';
import { isLocal } from './connect.ts';
import { hardened, USER } from './hardened.ts';
import { runContainer } from './run-container.ts';

export interface DiskFreeOptions {
  readonly docker: Docker;
  readonly install: string;
  readonly role: InstanceRole;
  readonly owner: string;
  readonly image: string;
  /** Names of short-lived containers that this process runs now. */
  readonly mine: Set<string>;
  /** @throws DroverError LEASE_LOST */
  readonly mayAct: () => void;
}

/** A container costs more than a call of the system. */
const MEASURED_EVERY_MS = 60_000;
const TIMEOUT_MS = 20_000;
const LIMITS = { memoryMb: 64, pids: 16 };

/** Does the folder of an engine lie here, and not only its socket? A user who may not look into it is told so. */
const isHere = (root: string): Promise<boolean> =>
  access(join(root, 'volumes')).then(
    () => true,
    (thrown: unknown) => (thrown as NodeJS.ErrnoException).code === 'EACCES',
  );

/** Undefined for what is no measurement. Exported for tests. */
export const shareIn = (output: string): number | undefined => {
  const found = /^(\d+) (\d+)$/.exec(output.trim());
  const [free, all] = [Number(found?.[1]), Number(found?.[2])];
  return found === null || all === 0 ? undefined : free / all;
};

/** Undefined where it cannot be told. */
export const createDiskFree = (options: DiskFreeOptions): (() => Promise<number | undefined>) => {
  const { docker, install, role, owner, image, mine, mayAct } = options;
  let root: Promise<string | undefined> | undefined;
  let measuredAt = -Infinity;
  let measuring: Promise<number | undefined> | undefined;
  let last: number | undefined;

  const folder = (): Promise<string | undefined> => {
    root ??= docker.info().then(
      (info: { DockerRootDir?: string }) => info.DockerRootDir,
      () => {
        root = undefined;
        return undefined;
      },
    );
    return root;
  };

  /** The root of a container lies on the disk of the engine. */
  const measure = async (): Promise<number | undefined> => {
    const name = `drover-${install}-disk-${randomBytes(4).toString('hex')}`;
    mine.add(name);
    try {
      const result = await runContainer({
        docker,
        mayAct,
        timeoutMs: TIMEOUT_MS,
        options: {
          name,
          Image: image,
          User: USER,
          Entrypoint: ['stat', '-f', '-c', '%a %b', '/'],
          Cmd: [],
          Labels: {
            [LABEL.install]: install,
            [LABEL.role]: TOOL_ROLE,
            [LABEL.toolOwner]: owner,
            [LABEL.toolFor]: role,
          },
          HostConfig: { ...hardened(LIMITS), NetworkMode: 'none' },
        },
        prepare: () => Promise.resolve(true),
      });
      return result?.code === 0 ? shareIn(result.output) : undefined;
    } catch {
      // Without the image, or without an engine, nothing is started anyway.
      return undefined;
    } finally {
      mine.delete(name);
    }
  };

  const measured = (): Promise<number | undefined> => {
    if (performance.now() - measuredAt >= MEASURED_EVERY_MS && measuring === undefined) {
      measuring = measure().then((share) => {
        measuredAt = performance.now();
        measuring = undefined;
        return (last = share);
      });
    }
    // Only the first one is waited for: a start must not wait for what is known well enough.
    return measuredAt === -Infinity && measuring !== undefined ? measuring : Promise.resolve(last);
  };

  return async () => {
    const path = await folder();
    if (path === undefined) return undefined;
    if (!isLocal(docker) || !(await isHere(path))) return measured();
    return statfs(path).then(
      ({ bavail, blocks }) => (blocks === 0 ? undefined : bavail / blocks),
      () => undefined,
    );
  };
};
