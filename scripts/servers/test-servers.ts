/** The servers that all tests share: one line each. */
import { startMinio } from './minio.ts';
import { startMongo } from './mongo.ts';
import { startNats } from './nats.ts';
import { describeServer, NoServer, standInLine, type Progress, type TestServer } from './test-server.ts';

interface Kind {
  readonly name: string;
  /** @throws NoServer */
  start(options: { readonly progress: Progress }): Promise<TestServer>;
}

const KINDS: readonly Kind[] = [
  { name: 'MongoDB', start: startMongo },
  { name: 'NATS', start: startNats },
  { name: 'MinIO', start: startMinio },
];

export interface TestServers {
  /** Brings up all that can be had. */
  start(): Promise<void>;
  /** For the tests, of those that are up. */
  env(): Readonly<Record<string, string>>;
  /** A line for each that is not here, or that another stands in for. */
  leftOut(): readonly string[];
  /** Ends what was started here, also when not all is up yet. */
  stop(): Promise<void>;
}

export const createTestServers = (say: Progress): TestServers => {
  const up: TestServer[] = [];
  const absent: string[] = [];
  let stopped = false;

  const startOne = async ({ name, start }: Kind): Promise<void> => {
    try {
      const server = await start({ progress: say });
      // Came up while we were told to stop.
      if (stopped) {
        await server.stop();
        return;
      }
      up.push(server);
      say(`${name}: ${describeServer(server)}`);
    } catch (thrown) {
      if (!(thrown instanceof NoServer)) throw thrown;
      absent.push(thrown.message);
    }
  };

  return {
    start: async () => {
      const results = await Promise.allSettled(KINDS.map(startOne));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
    env: () => Object.assign({}, ...up.map(({ env }) => env)) as Record<string, string>,
    leftOut: () => [...absent, ...up.map(standInLine).filter((line) => line !== undefined)],
    stop: async () => {
      stopped = true;
      await Promise.allSettled(up.splice(0).map((server) => server.stop()));
    },
  };
};
