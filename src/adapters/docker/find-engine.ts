/** Where an engine may be: DOCKER_HOST alone when it is set, else the current docker context, then the sockets that engines use. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DroverError } from '../../domain/errors.ts';

const readJson = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Record<string, unknown>;

/** The docker command keeps a context's address under the digest of its name. */
const hostOfContext = async (folder: string, name: string): Promise<string | undefined> => {
  const digest = createHash('sha256').update(name).digest('hex');
  const meta = await readJson(join(folder, 'contexts/meta', digest, 'meta.json'));
  const endpoints = meta['Endpoints'] as { docker?: { Host?: string } } | undefined;
  return endpoints?.docker?.Host;
};

/** Variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The engine that somebody has chosen: DOCKER_HOST, else that of the docker context.
 * @throws DroverError CONFIG_INVALID when DOCKER_CONTEXT names a context that is not there
 */
export const chosenEngine = async (env: Env): Promise<string | undefined> => {
  // An empty variable is as good as none.
  const given = (name: string): string | undefined => env[name] || undefined;
  const host = given('DOCKER_HOST');
  if (host !== undefined) return host;
  const folder = given('DOCKER_CONFIG') ?? join(given('HOME') ?? homedir(), '.docker');
  const config = await readJson(join(folder, 'config.json')).catch((): Record<string, unknown> => ({}));
  const named = given('DOCKER_CONTEXT');
  const name = named ?? config['currentContext'];
  if (typeof name !== 'string' || name === 'default') return undefined;
  const found = await hostOfContext(folder, name).catch(() => undefined);
  if (found === undefined && named !== undefined) {
    throw new DroverError('CONFIG_INVALID', `DOCKER_CONTEXT=${named} is not a context in ${folder}`);
  }
  return found;
};

/** Docker's own socket. `root`: where the folders of the system begin. */
export const dockerSocket = (root: string): string => `unix://${join(root, 'var/run/docker.sock')}`;

/** That of Docker, of Docker without root, and of podman without and with root. `root`: where the folders of the system begin. */
const usualEngines = (env: Env, root: string): readonly string[] => {
  const runtime = env['XDG_RUNTIME_DIR'];
  const own = runtime === undefined || runtime === '' ? [] : ['docker.sock', 'podman/podman.sock'];
  const others = [...own.map((name) => join(runtime ?? '', name)), join(root, 'run/podman/podman.sock')];
  return [dockerSocket(root), ...others.map((path) => `unix://${path}`)];
};

/** Addresses to try, in order. `root`: where the folders of the system begin. */
export const findEngineHosts = async (env: Env, root = '/'): Promise<readonly string[]> => {
  const chosen = await chosenEngine(env);
  if (chosen !== undefined && chosen === env['DOCKER_HOST']) return [chosen];
  const usual = usualEngines(env, root);
  return chosen === undefined ? usual : [chosen, ...usual.filter((host) => host !== chosen)];
};
