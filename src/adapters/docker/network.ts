/**
 * The network that bots join. Ours is a bridge on which they do not reach one another, but reach the world; another, which the
 * operator names, must exist already and is what it is.
 */
import type Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { statusOf } from './docker-errors.ts';

export const OWN_NETWORK = 'drover-bots';

const ICC = 'com.docker.network.bridge.enable_icc';

type Found = Pick<Docker.NetworkInspectInfo, 'Name' | 'Driver' | 'Internal' | 'Options'>;

/** Why a network of our name is not as we make it, or undefined. Exported for tests. */
export const networkFault = ({ Driver, Internal, Options }: Found): string | undefined => {
  if (Driver !== 'bridge') return `its driver is ${Driver}, not bridge`;
  if (Options?.[ICC] !== 'false') return `bots on it can reach one another: its option ${ICC} is not false`;
  return Internal ? 'it is internal: bots on it reach neither an exchange nor a store' : undefined;
};

/** The networks of our name: more than one, if somebody made another. @throws as the engine does */
const own = async (docker: Docker): Promise<readonly Found[]> =>
  (await docker.listNetworks({ filters: { name: [OWN_NETWORK] } })).filter(({ Name }) => Name === OWN_NETWORK);

/**
 * Looks at our own network, if it is there. Nothing is said of another, which is the operator's.
 * @throws DroverError NETWORK_UNSAFE when one of our name is not as we make it
 */
export const checkNetwork = async (docker: Docker, name: string): Promise<'there' | 'missing'> => {
  if (name !== OWN_NETWORK) return 'there';
  const existing = await own(docker);
  for (const network of existing) {
    const fault = networkFault(network);
    if (fault !== undefined) {
      throw new DroverError('NETWORK_UNSAFE', `the network ${OWN_NETWORK} was not made by drover: ${fault}`);
    }
  }
  return existing.length > 0 ? 'there' : 'missing';
};

const create = async (docker: Docker): Promise<void> => {
  if ((await own(docker)).length > 0) return;
  try {
    await docker.createNetwork({
      Name: OWN_NETWORK,
      Driver: 'bridge',
      CheckDuplicate: true,
      Labels: { 'drover.role': 'network' },
      Options: { [ICC]: 'false' },
    });
  } catch (thrown) {
    if (statusOf(thrown) !== 409) throw thrown;
  }
};

/** Bots and runs begin at the same moment, and an engine makes two networks of one name when it is asked twice at once. */
let turn: Promise<void> = Promise.resolve();
const make = (docker: Docker): Promise<void> => {
  const mine = turn.then(() => create(docker));
  turn = mine.catch(() => undefined);
  return mine;
};

/**
 * For what runs code of bots: makes our own network when it is not there; two who make it at once end up with one.
 * @throws DroverError NETWORK_UNSAFE, and what `mayAct` throws
 */
export const ensureNetwork = async (docker: Docker, name: string, mayAct: () => void): Promise<void> => {
  if ((await checkNetwork(docker, name)) === 'there') return;
  mayAct();
  await make(docker);
};

/**
 * For what runs code of ours alone: what a bot left on its volume is stored whatever became of the network.
 * @throws what `mayAct` throws
 */
export const ensureAnyNetwork = async (docker: Docker, name: string, mayAct: () => void): Promise<void> => {
  if (name !== OWN_NETWORK || (await own(docker)).length > 0) return;
  mayAct();
  await make(docker);
};
