/** Removes everything that one install made on an engine: containers, volumes, and the bot network when nobody uses it. */
import type Docker from 'dockerode';

const ofInstall = (install: string): { label: string[] } => ({ label: [`drover.install=${install}`] });

const gone = (error: unknown): boolean => (error as { statusCode?: number }).statusCode === 404;

const unless404 = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: unknown) => {
    if (!gone(error)) throw error;
  });

/** Returns how much was removed. */
export const removeInstall = async (docker: Docker, install: string, network?: string): Promise<number> => {
  const containers = await docker.listContainers({ all: true, filters: ofInstall(install) });
  await Promise.all(containers.map(({ Id }) => unless404(docker.getContainer(Id).remove({ force: true }))));
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
