/** How query servers in containers are reached from here: at their own addresses, or at ports published on loopback. */
import type Docker from 'dockerode';

/** What an operator asks for; `auto`: whichever works. */
export type QueryReach = 'auto' | 'address' | 'published';

/**
 * What bots are to be made with. Docker Desktop keeps its containers in a machine of its own, whose addresses nobody else has.
 * @throws as the engine does
 */
export const wayOf = async (docker: Docker, reach: QueryReach): Promise<'address' | 'published'> => {
  if (reach !== 'auto') return reach;
  if (process.platform !== 'linux') return 'published';
  const { OperatingSystem } = (await docker.info()) as { OperatingSystem?: string };
  return /docker desktop/i.test(OperatingSystem ?? '') ? 'published' : 'address';
};
