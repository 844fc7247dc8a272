/** Where containers reach what this host listens on. */
import { docker } from './spine.ts';

/** Address of this host as containers reach it. */
export const hostAddress = async (): Promise<string> => {
  const bridge = (await docker.getNetwork('bridge').inspect()) as { IPAM: { Config: { Gateway?: string }[] } };
  return bridge.IPAM.Config[0]?.Gateway ?? '172.17.0.1';
};
