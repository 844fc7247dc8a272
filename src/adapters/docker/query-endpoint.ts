/**
 * Where a container's query server is reached, and whether that is still so. The engine gives the address of a dead or
 * disconnected container to the next one, so an address alone says nothing of who answers (fault R40).
 */
import type Docker from 'dockerode';
import { QUERY_PORT } from '../../domain/query.ts';
import type { EndpointLook, QueryEndpoint } from '../../ports/query-containers.ts';
import { statusOf } from './docker-errors.ts';
import type { Lane } from './lanes.ts';
import type { QueryReach } from './query-way.ts';
import { seeProcess } from './seen-process.ts';

type Inspected = Docker.ContainerInspectInfo;
type Place = Pick<QueryEndpoint, 'via' | 'host' | 'port'>;

export interface EndpointOptions {
  readonly docker: Docker;
  readonly reach: QueryReach;
  /** Has the deadline of a look. */
  readonly reads: Lane;
  /** The engine is on this host and /proc is to be asked: it may show its containers. */
  readonly procfs: boolean;
}

const LOOPBACK = '127.0.0.1';

const publishedOf = ({ NetworkSettings }: Inspected): Place | undefined => {
  const ports = NetworkSettings.Ports as Record<string, { HostIp?: string; HostPort?: string }[] | null> | undefined;
  const bindings = ports?.[`${String(QUERY_PORT)}/tcp`] ?? [];
  const port = Number(bindings.find(({ HostIp }) => HostIp === LOOPBACK)?.HostPort);
  return Number.isInteger(port) && port > 0 ? { via: 'published', host: LOOPBACK, port } : undefined;
};

/** That on the default bridge, then those on its networks. */
const addressesOf = ({ NetworkSettings }: Inspected): readonly string[] => {
  // The first is not in the client's types.
  const { IPAddress, Networks } = NetworkSettings as {
    IPAddress?: string;
    Networks?: Record<string, { IPAddress?: string } | null>;
  };
  const all = [IPAddress, ...Object.values(Networks ?? {}).map((network) => network?.IPAddress)];
  return all.filter((address): address is string => address !== undefined && address !== '');
};

/** The first (contract §8.3). */
const addressOf = (info: Inspected): Place | undefined => {
  const [host] = addressesOf(info);
  return host === undefined ? undefined : { via: 'address', host, port: QUERY_PORT };
};

/** It may have got others since. */
const isStillAt = (info: Inspected, { via, host, port }: Place): boolean =>
  via === 'address' ? addressesOf(info).includes(host) : publishedOf(info)?.port === port;

/** Pure: of what the engine says now. */
export const placeOf = (info: Inspected, reach: QueryReach): Place | undefined =>
  (reach === 'address' ? undefined : publishedOf(info)) ?? addressOf(info);

const hasQueryProgram = ({ Config }: Inspected): boolean =>
  Config.Env.some((line) => line.startsWith('QUERY_ENTRYPOINT=') && line !== 'QUERY_ENTRYPOINT=');

/** @returns the port's `endpointOf` */
export const createEndpointLook = ({ docker, reach, reads, procfs }: EndpointOptions) => {
  /** Undefined: it is gone. */
  const look = (id: string): Promise<Inspected | undefined> =>
    reads(async (abortSignal) => {
      try {
        return await docker.getContainer(id).inspect({ abortSignal });
      } catch (thrown) {
        if (statusOf(thrown) === 404) return undefined;
        throw thrown;
      }
    });

  const endpoint = (seen: Inspected, place: Place): QueryEndpoint => {
    const { Id: id, State } = seen;
    const { via, host } = place;
    const process = procfs && via === 'address' ? seeProcess(State.Pid, id, host) : undefined;
    return {
      ...place,
      holds: () => process?.holds(),
      lives: () => process?.lives(),
      release: () => process?.release(),
      async confirm() {
        try {
          const now = await look(id);
          if (now === undefined) return false;
          // Started again in the same container it is another one: its address may have been somebody else's in between.
          return now.State.Running && now.State.StartedAt === State.StartedAt && isStillAt(now, place);
        } catch {
          return undefined;
        }
      },
    };
  };

  return async ({ id }: { readonly id: string }): Promise<EndpointLook> => {
    const seen = await look(id);
    if (seen?.State.Running !== true) return { kind: 'gone' };
    if (!hasQueryProgram(seen)) return { kind: 'mute' };
    const place = placeOf(seen, reach);
    return place === undefined ? { kind: 'unreachable' } : { kind: 'endpoint', endpoint: endpoint(seen, place) };
  };
};
