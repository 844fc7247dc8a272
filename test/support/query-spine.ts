/** A whole drover with its QueryServer listening, on the real engine. */
import type Docker from 'dockerode';
import { createQueryContainers } from '../../src/adapters/docker/query-containers.ts';
import { folderAccess } from '../../src/adapters/embedded/folder-access.ts';
import { createQueryProxy } from '../../src/adapters/http/query-proxy.ts';
import { createQueryApp } from '../../src/api/query-app.ts';
import type { QueryLimits } from '../../src/api/query-routes.ts';
import { serve } from '../../src/api/serve.ts';
import type { QueryPolicy } from '../../src/controllers/queries/query-policy.ts';
import { dockerAt } from '../../scripts/docker-at.ts';
import { docker, HOST, IMAGE, startSpine, zipOf, type Spine, type SpineOptions } from './spine.ts';
import { until } from '../../scripts/until.ts';

export interface QuerySpineOptions extends SpineOptions {
  readonly query?: Partial<QueryPolicy>;
  readonly limits?: Partial<QueryLimits>;
  readonly reach?: 'address' | 'published';
  /** False: as in a container of its own, where /proc shows no other. */
  readonly procfs?: boolean;
  /** Another client of the engine for what is made for queries. */
  readonly queryDocker?: Docker;
}

export interface Asked {
  readonly status: number;
  /** Parsed, or the text. */
  readonly body: Record<string, unknown>;
  readonly text: string;
  readonly headers: Headers;
  readonly way: string | null;
}

export interface QuerySpine extends Spine {
  readonly url: string;
  /** `GET|POST /v1/bots/<id>/query<path>`. */
  ask(id: string, path: string, params?: object): Promise<Asked>;
  /** `POST /query`. */
  askOld(body: object): Promise<Asked>;
  /** Ids of all query containers, of one bot when given. */
  queryContainers(id?: string): Promise<readonly string[]>;
  /** Runs, and has written its count: the program is in the container a while after the engine started that. */
  counted(id: string): Promise<void>;
  /** What was kept warm for this bot goes. */
  drop(id: string): Promise<void>;
  /** Uploads code with a query program, and puts a document for it. */
  deployAsked(
    id: string,
    files: Readonly<Record<string, string>>,
    change?: Parameters<Spine['document']>[1],
  ): Promise<void>;
}

export const toAsked = async (response: Response): Promise<Asked> => {
  const text = await response.text();
  const { status, headers } = response;
  const way = headers.get('x-drover-query-way');
  try {
    return { status, body: JSON.parse(text) as Record<string, unknown>, text, headers, way };
  } catch {
    return { status, body: {}, text, headers, way };
  }
};

export const startQuerySpine = async (options: QuerySpineOptions = {}): Promise<QuerySpine> => {
  const { query, limits, reach = 'address', procfs = true, network = 'drover-bots' } = options;
  const spine = await startSpine({
    ...options,
    publishQueries: reach === 'published',
    queries: ({ install, archives }) => ({
      containers: {
        ...createQueryContainers({
          docker: options.queryDocker ?? dockerAt(options.host ?? HOST),
          install,
          network,
          hostGateway: false,
          image: IMAGE,
          archives,
          access: options.access ?? folderAccess,
          env: {},
          startsInFlight: 4,
          reach,
          procfs,
        }),
        // How full the memory of this machine is decides on nothing here.
        memoryFree: () => undefined,
      },
      proxy: createQueryProxy(),
      policy: {
        warmTtlMs: 60_000,
        containers: 4,
        queue: 16,
        inFlightPerBot: 64,
        maxReplyBytes: 64 * 1024 * 1024,
        settleMs: 5_000,
        ...query,
      },
    }),
  });
  const { queries } = spine.drover;
  if (queries === undefined) throw new Error('no queries are served');
  const app = createQueryApp({
    queries,
    // Machines are shared: a query has the time that it takes, but for those that say otherwise.
    limits: { timeoutMs: 120_000, maxTimeoutMs: 120_000, maxBodyBytes: 1024 * 1024, ...limits },
    readiness: spine.drover.readiness,
    token: undefined,
    open: false,
  });
  const served = await serve(app, { host: '127.0.0.1', port: 0, setting: 'HTTP_PORT' });
  const { url } = served;
  return {
    ...spine,
    url,
    ask: async (id, path, params) =>
      toAsked(
        await fetch(
          `${url}/v1/bots/${encodeURIComponent(id)}/query${path}`,
          params === undefined ? {} : { method: 'POST', body: JSON.stringify(params) },
        ),
      ),
    askOld: async (body) => toAsked(await fetch(`${url}/query`, { method: 'POST', body: JSON.stringify(body) })),
    queryContainers: async (id) => {
      const label = [`drover.install=${spine.install}`, 'drover.role=query'];
      if (id !== undefined) label.push(`runtime.id=${id}`);
      return (await docker.listContainers({ all: true, filters: { label } })).map(({ Id }) => Id);
    },
    async counted(id) {
      const { containerId } = await spine.reaches(id, 'running', ({ containerId: found }) => found !== null);
      const container = docker.getContainer(containerId ?? '');
      const printed = async (): Promise<string> => (await container.logs({ stdout: true, stderr: true })).toString();
      const otherwise = async (): Promise<string> => `${id} has not counted: ${await printed()}`;
      await until(async () => (await printed()).includes('counted'), { every: 100, otherwise });
    },
    async drop(id) {
      // As any change of its document tells.
      const record = await spine.stores.specs.read(id);
      if (record !== undefined) await spine.put(id, record.document);
    },
    async deployAsked(id, files, change = {}) {
      const custom = { entrypoints: { bot: 'main.js', query: 'query.js' } };
      await spine.archives.putCode(`test/${id}/1.0.0`, zipOf(files));
      await spine.put(id, spine.document(id, { ...change, custom: { ...custom, ...change.custom } }));
    },
    async end() {
      await served.close();
      await spine.end();
    },
  };
};
