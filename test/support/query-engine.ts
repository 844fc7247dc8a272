/** The query containers adapter on the real engine, with a code archive of the test's own, and small containers to reach. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { createQueryContainers, type QueryContainersOptions } from '../../src/adapters/docker/query-containers.ts';
import { folderAccess } from '../../src/adapters/embedded/folder-access.ts';
import type { ArchiveStore } from '../../src/ports/archive-store.ts';
import type { QueryContainers, QueryPlan } from '../../src/ports/query-containers.ts';
import { dockerAt } from '../../scripts/docker-at.ts';
import { aSpec } from './given.ts';
import { docker, HOST, IMAGE, zipOf } from './spine.ts';

const none: ArchiveStore = {
  sizeOfCode: () => Promise.resolve(undefined),
  openCode: () => Promise.resolve(undefined),
  digestOfCode: () => Promise.resolve(undefined),
  putCode: () => Promise.resolve(),
  ping: () => Promise.resolve(),
};

export const queryEngine = (
  install: string,
  change: Partial<QueryContainersOptions> & { host?: string } = {},
): QueryContainers =>
  createQueryContainers({
    docker: dockerAt(change.host ?? HOST),
    install,
    network: 'drover-bots',
    hostGateway: false,
    image: IMAGE,
    archives: none,
    access: folderAccess,
    env: {},
    startsInFlight: 4,
    reach: 'auto',
    ...change,
  });

export interface Code {
  readonly archives: ArchiveStore;
  readonly digest: string;
}

/** An archive store whose only archive is this one. */
export const codeOf = async (files: Readonly<Record<string, string>>): Promise<Code> => {
  const bytes = await buffer(zipOf(files));
  const digest = createHash('sha256').update(bytes).digest('hex');
  return {
    digest,
    archives: {
      ...none,
      openCode: () => Promise.resolve({ size: bytes.length, content: Readable.from([bytes]) }),
      digestOfCode: () => Promise.resolve({ sha256: digest, size: bytes.length }),
    },
  };
};

export const planFor = (id: string, { digest }: Code, change: Partial<QueryPlan> = {}): QueryPlan => ({
  spec: aSpec({
    id,
    image: IMAGE,
    entrypoints: { bot: 'main.js', query: 'query.js' },
    limits: { memoryMb: 256, cpuShares: 512, pids: 128 },
  }),
  specHash: 'h',
  incarnation: 1,
  of: 'bot',
  digest,
  maxReplyBytes: 64 * 1024 * 1024,
  ...change,
});

/** Says its own name to whoever asks at the query port. */
const SERVER = `require('node:http').createServer((q, r) => r.end(process.env.NAME)).listen(9476)`;

export interface Box {
  readonly container: Docker.Container;
  readonly ref: { readonly node: string; readonly id: string };
}

export interface BoxChange {
  readonly network?: string;
  readonly published?: boolean;
  readonly mute?: boolean;
}

/** A running container of the install with a query server, as a bot has one. */
export const startBox = async (install: string, name: string, change: BoxChange = {}): Promise<Box> => {
  const { network = 'bridge', published = false, mute = false } = change;
  const port = '9476/tcp';
  const container = await docker.createContainer({
    Image: IMAGE,
    Entrypoint: ['node', '-e', SERVER],
    Env: [`NAME=${name}`, ...(mute ? [] : ['QUERY_ENTRYPOINT=query.js'])],
    Labels: { 'drover.install': install },
    ...(published ? { ExposedPorts: { [port]: {} } } : {}),
    HostConfig: {
      NetworkMode: network,
      ...(published ? { PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } } : {}),
    },
  });
  await container.start();
  return { container, ref: { node: 'n', id: container.id } };
};
