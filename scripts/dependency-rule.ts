/** The dependency rule of the architecture as data: read by the linter and by the test that reads the imports. */

/** layer → layers it may import, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  documents: ['domain'],
  machines: ['domain'],
  ports: ['domain'],
  controllers: ['domain', 'documents', 'machines', 'ports'],
  adapters: ['domain', 'ports'],
  api: ['domain', 'documents', 'ports'],
  // The command line has no second way in: it speaks to the HTTP API. `up` and `gc` are services themselves.
  cli: ['domain', 'documents', 'config', 'config-table', 'setting-kinds', 'up', 'gc'],
  // The transfer process inside a container speaks to the archive store itself.
  runtime: ['domain', 'ports', 'adapters'],
  config: ['domain', 'documents', 'config-table'],
  'config-table': ['domain', 'setting-kinds'],
  'setting-kinds': [],
  main: ['domain', 'documents', 'machines', 'ports', 'controllers', 'adapters', 'api', 'config'],
  stores: ['domain', 'ports', 'adapters', 'config'],
  gc: ['domain', 'ports', 'controllers', 'adapters', 'api', 'config', 'stores'],
  'config-parts': ['domain', 'documents', 'ports', 'controllers', 'api', 'config'],
  wire: ['domain', 'ports', 'controllers', 'adapters', 'api', 'config', 'config-parts', 'main', 'stores'],
  up: ['domain', 'ports', 'adapters', 'api', 'config', 'config-parts', 'stores', 'wire'],
};

export const FOLDERS: readonly string[] = Object.keys(MAY_IMPORT);

/** library → where alone it may be imported (path prefixes under src/). */
export const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  xstate: ['machines/'],
  rxjs: ['controllers/'],
  dockerode: ['adapters/docker/'],
  'docker-modem': ['adapters/docker/'],
  libsql: ['adapters/embedded/'],
  mongodb: ['adapters/mongo/'],
  nats: ['adapters/nats/'],
  minio: ['adapters/minio/'],
  hono: ['api/'],
  '@hono/node-server': ['api/'],
  pino: ['adapters/log/'],
  'pino-pretty': ['adapters/log/'],
  commander: ['cli/', 'runtime/'],
  'cron-parser': ['domain/cron/'],
  undici: ['adapters/http/'],
};

/** Layers that use no library at all, but for one that is as pure as they are and named above. */
const PURE: ReadonlySet<string> = new Set(['domain', 'ports']);
const PURE_BUILTINS: ReadonlySet<string> = new Set(['node:crypto', 'node:stream']);

/** The layer of a path under src/: its folder, or its own name for a file at the top. */
export const layerOf = (path: string): string | undefined => {
  const [first = ''] = path.split('/');
  const layer = first.replace(/\.ts$/, '');
  return Object.hasOwn(MAY_IMPORT, layer) ? layer : undefined;
};

const packageOf = (name: string): string =>
  name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? name);

const mayUseLibrary = (from: string, layer: string, name: string): boolean => {
  const homes = DRIVERS[packageOf(name)] ?? DRIVERS[name];
  if (PURE.has(layer)) return PURE_BUILTINS.has(name) || homes?.some((home) => from.startsWith(home)) === true;
  if (layer === 'machines') return homes?.includes('machines/') === true || PURE_BUILTINS.has(name);
  return homes === undefined || homes.some((home) => from.startsWith(home));
};

/** May the file `from` (path under src/) import `target` (path under src/, or a package name)? */
export const mayImport = (from: string, target: string, isFile: boolean): boolean => {
  const layer = layerOf(from);
  if (layer === undefined) return false;
  if (!isFile) return mayUseLibrary(from, layer, target);
  const targetLayer = layerOf(target);
  if (targetLayer === undefined) return false;
  if (targetLayer !== layer) return MAY_IMPORT[layer]?.includes(targetLayer) ?? false;
  // Adapters never know one another; what several need lies in `common`, which knows none of them.
  return layer !== 'adapters' || [from.split('/')[1], 'common'].includes(target.split('/')[1] ?? '');
};
