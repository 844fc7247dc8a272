/** Servers that speak MongoDB's protocol, the real one first: how each is found and started. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath, type Machine } from '../machine.ts';
import { findSecantus } from './secantus.ts';
import type { Progress } from './test-server.ts';

export interface Place {
  readonly port: number;
  /** Empty, and the server's own. */
  readonly folder: string;
  /** Without a replica set, so without change streams. */
  readonly standalone: boolean;
}

export interface MongoProgram {
  readonly name: string;
  /** Path, or undefined when it is not here. @throws NoServer when it should have been made and could not */
  find(progress: Progress, machine: Machine): Promise<string | undefined>;
  args(place: Place): Promise<readonly string[]> | readonly string[];
  /** Becomes a replica set only when it is told to. */
  readonly toInitiate: boolean;
}

const mongod: MongoProgram = {
  name: 'mongod',
  find: (_progress, machine) => onPath('mongod', machine),
  args: ({ port, folder, standalone }) => [
    ...['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'],
    ...(standalone ? [] : ['--replSet', 'drover']),
  ],
  toInitiate: true,
};

/** Versions that keep their data in SQLite; those that need a PostgreSQL end at once, and the next is tried. */
const ferretdb: MongoProgram = {
  name: 'ferretdb',
  find: (_progress, machine) => onPath('ferretdb', machine),
  args: ({ port, folder }) => [
    ...['--handler=sqlite', `--sqlite-url=file:${folder}/`, `--state-dir=${folder}`],
    ...[`--listen-addr=127.0.0.1:${String(port)}`, '--debug-addr=-', '--telemetry=disable'],
  ],
  toInitiate: false,
};

const secantus: MongoProgram = {
  name: 'secantusdb',
  find: findSecantus,
  args: async ({ port, folder, standalone }) => {
    // Else it would look for one in the folders of whoever runs the tests.
    const config = join(folder, 'secantusd.toml');
    await writeFile(config, '');
    return [
      ...['--config', config, '--host', '127.0.0.1', '--port', String(port)],
      ...['--storage-path', join(folder, 'data'), '--sync-on-commit', ...(standalone ? ['--standalone'] : [])],
    ];
  },
  toInitiate: false,
};

export const MONGO_PROGRAMS: readonly MongoProgram[] = [mongod, ferretdb, secantus];
