/** The controller on its stores: engine, services, queries, and the apps that callers reach. */
import { connectDocker } from './adapters/docker/connect.ts';
import { createDockerEngine } from './adapters/docker/docker-engine.ts';
import { createPredecessor } from './adapters/docker/predecessor.ts';
import { createQueryContainers } from './adapters/docker/query-containers.ts';
import { wayOf } from './adapters/docker/query-way.ts';
import { createQueryProxy } from './adapters/http/query-proxy.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { createApp } from './api/create-app.ts';
import type { FrontDoor } from './api/front-door.ts';
import { createQueryApp } from './api/query-app.ts';
import { environment, type Config } from './config.ts';
import { containerEnvironment, defaultsOf, policyOf, queryLimitsOf, queryPolicyOf } from './config-parts.ts';
import type { QueryParts } from './controllers/queries/create-queries.ts';
import type { InstanceRole } from './domain/naming.ts';
import type { Transition } from './domain/transition.ts';
import { createDrover, createFence, mintId, type Drover, type Office } from './main.ts';
import type { Offices } from './ports/leadership.ts';
import type { Logger } from './ports/logger.ts';
import type { MessageBus } from './ports/message-bus.ts';
import type { Stores } from './stores.ts';

/** BotService, ScheduleService: what this process does; it shows both. */
export type Service = keyof Offices;

export interface WireParts {
  readonly config: Config;
  readonly services: readonly Service[];
  /** Queries are served: at the API and at a port of their own. */
  readonly withQueries: boolean;
  readonly tell: (transition: Transition) => void;
  readonly stores: Stores;
  readonly install: string;
  readonly bus: MessageBus | undefined;
  /** Of the API, and of the QueryServer. */
  readonly front: FrontDoor;
  readonly queryFront: FrontDoor;
  readonly logger: Logger;
}

/** Ephemeral query containers are started side by side as bots are: more at once are slower. */
const queryParts = (parts: WireParts, docker: Awaited<ReturnType<typeof connectDocker>>): QueryParts => {
  const { config, stores, install } = parts;
  const { dockerNetwork: network, hostGateway, runtimeImage: image, startsInFlight, queryReach: reach } = config;
  return {
    containers: createQueryContainers({
      docker,
      install,
      network,
      hostGateway,
      image,
      archives: stores.archives,
      access: stores.access,
      env: containerEnvironment(config),
      startsInFlight,
      reach,
    }),
    proxy: createQueryProxy(),
    policy: queryPolicyOf(config),
  };
};

/** The controller on these stores, not started, with its apps open to callers. */
export const wire = async (parts: WireParts): Promise<Drover> => {
  const { config, services, withQueries, stores, install, bus, front, queryFront, logger, tell } = parts;
  const docker = await connectDocker({ ...environment(), DOCKER_HOST: config.dockerHost });
  const defaults = defaultsOf(config);
  // An engine that does not answer yet is taken for one on this host.
  const way = await wayOf(docker, config.queryReach).catch(() => 'address' as const);
  const office = (service: keyof Offices, role: InstanceRole): Office => {
    const stored = stores.offices[service];
    const fence = createFence(stored.leadership);
    const engine = createDockerEngine({
      docker,
      role,
      install,
      archives: stores.archives,
      access: stores.access,
      image: config.runtimeImage,
      env: containerEnvironment(config),
      network: config.dockerNetwork,
      hostGateway: config.hostGateway,
      configInEnv: config.configInEnv,
      publishQueries: way === 'published',
      // Each kind has starts of its own: a storm of due slots holds up no bot that is to be restarted.
      startsInFlight: config.startsInFlight,
      besideOthers: config.foreignInstalls === 'ignore',
      mayAct: () => {
        fence.mayAct();
      },
    });
    return { ...stored, fence, engine, acts: services.includes(service) };
  };
  const bots = office('bots', 'bot');
  const drover = await createDrover({
    ...stores,
    bus,
    bots,
    runs: office('runs', 'run'),
    predecessor: createPredecessor(docker, install, () => bots.fence?.mayAct()),
    policy: policyOf(config),
    defaults,
    resyncIntervalMs: config.reconcileInterval,
    clock: systemClock,
    logger,
    tell,
    queries: withQueries ? queryParts(parts, docker) : undefined,
  });
  const { states: fleet, schedules: scheduleReaders, transitions, guard, takeover, stateSnapshots, readiness } = drover;
  const { troubleOf } = drover;
  const { orphans } = drover;
  const { apiToken: token } = config;
  const queries = drover.queries === undefined ? undefined : { queries: drover.queries, limits: queryLimitsOf(config) };
  const more = { orphans, clock: systemClock, mintId, defaults, token, queries };
  front.open(
    createApp({
      ...stores,
      fleet,
      troubleOf,
      scheduleReaders,
      transitions,
      guard,
      takeover,
      stateSnapshots,
      readiness,
      ...more,
    }),
  );
  if (queries !== undefined) {
    queryFront.open(createQueryApp({ ...queries, readiness, token, open: config.queryServerOpen }));
    logger.info('query server ready', { runningBotsAt: way, ephemeral: config.queryContainers });
  }
  return drover;
};
