/** Where an engine may be: DOCKER_HOST alone when it is set, else the current docker context, then the usual socket. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const DEFAULT_SOCKET = 'unix:///var/run/docker.sock';

const readJson = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Record<string, unknown>;

/** The docker command keeps a context's address under the digest of its name. */
const hostOfContext = async (folder: string, name: string): Promise<string | undefined> => {
  const digest = createHash('sha256').update(name).digest('hex');
  const meta = await readJson(join(folder, 'contexts/meta', digest, 'meta.json'));
  const endpoints = meta['Endpoints'] as { docker?: { Host?: string } } | undefined;
  return endpoints?.docker?.Host;
};

/** Addresses to try, in order. */
export const findEngineHosts = async (
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> => {
  const given = env['DOCKER_HOST'];
  if (given !== undefined && given !== '') return [given];
  const folder = env['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
  const config = await readJson(join(folder, 'config.json')).catch((): Record<string, unknown> => ({}));
  const name = env['DOCKER_CONTEXT'] ?? config['currentContext'];
  const ofContext =
    typeof name === 'string' && name !== 'default'
      ? await hostOfContext(folder, name).catch(() => undefined)
      : undefined;
  return ofContext === undefined ? [DEFAULT_SOCKET] : [ofContext, DEFAULT_SOCKET];
};
