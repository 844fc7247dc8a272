/** Removes everything that one install made on an engine: containers, volumes, and the bot network when nobody uses it. */
import type Docker from 'dockerode';
import { until } from './until.ts';

const ofInstall = (install: string): { label: string[] } => ({ label: [`drover.install=${install}`] });

const gone = (error: unknown): boolean => (error as { statusCode?: number }).statusCode === 404;

const unless404 = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: unknown) => {
    if (!gone(error)) throw error;
  });

/**
 * A container may end by itself at the moment at which the engine would kill it, or be removed by somebody else: the engine
 * says that as 409 or 500, and a moment later it can be removed, or is gone.
 */
export const removeContainer = (docker: Docker, id: string): Promise<boolean> => {
  let refused = '';
  const remove = (): Promise<boolean> =>
    unless404(docker.getContainer(id).remove({ force: true, v: true })).then(
      () => true,
      (error: unknown) => {
        const { statusCode, message } = error as { statusCode?: number; message?: string };
        if (statusCode !== 409 && statusCode !== 500) throw error;
        refused = message ?? '';
        return false;
      },
    );
  return until(remove, { within: 30_000, every: 200, otherwise: () => `${id} cannot be removed: ${refused}` });
};

/** Returns how much was removed. */
export const removeInstall = async (docker: Docker, install: string, network?: string): Promise<number> => {
  const containers = await docker.listContainers({ all: true, filters: ofInstall(install) });
  await Promise.all(containers.map(({ Id }) => removeContainer(docker, Id)));
  const { Volumes: volumes } = await docker.listVolumes({ filters: ofInstall(install) });
  await Promise.all(volumes.map(({ Name }) => unless404(docker.getVolume(Name).remove())));
  if (network !== undefined) {
    // Somebody else's bots may be on it: the engine refuses then, and that is right.
    await docker
      .getNetwork(network)
      .remove()
      .catch(() => undefined);
  }
  return containers.length + volumes.length;
};
