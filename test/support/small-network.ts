/** Networks with so few addresses that the next container gets the one that has just become free. */
import { randomInt } from 'node:crypto';
import { until } from '../../scripts/until.ts';
import { docker } from './spine.ts';

/** A bridge with five addresses for containers, where no other network of this engine is. */
export const createSmallNetwork = async (name: string): Promise<void> => {
  const create = async (): Promise<boolean> => {
    const base = `10.${String(randomInt(128, 256))}.${String(randomInt(256))}`;
    const Config = [{ Subnet: `${base}.0/29`, Gateway: `${base}.1` }];
    try {
      await docker.createNetwork({ Name: name, Driver: 'bridge', IPAM: { Driver: 'default', Config } });
      return true;
    } catch (thrown) {
      // Somebody is there already.
      if (/overlap/i.test(String(thrown))) return false;
      throw thrown;
    }
  };
  await until(create, { otherwise: () => `there is no room for the network ${name}` });
};
