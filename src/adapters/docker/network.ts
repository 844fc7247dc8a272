/** The network that bots join. Ours is a bridge on which they do not reach one another; another must exist already. */
import type Docker from 'dockerode';
import { statusOf } from './docker-errors.ts';

export const OWN_NETWORK = 'drover-bots';

/** Makes our own network when it is not there; two who make it at once end up with one. @throws what `mayAct` throws */
export const ensureNetwork = async (docker: Docker, name: string, mayAct: () => void): Promise<void> => {
  if (name !== OWN_NETWORK) return;
  const existing = await docker.listNetworks({ filters: { name: [name] } });
  if (existing.some(({ Name }) => Name === name)) return;
  mayAct();
  try {
    await docker.createNetwork({
      Name: name,
      Driver: 'bridge',
      CheckDuplicate: true,
      Labels: { 'drover.role': 'network' },
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    });
  } catch (thrown) {
    if (statusOf(thrown) !== 409) throw thrown;
  }
};
