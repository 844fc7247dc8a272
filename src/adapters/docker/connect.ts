/** A client for the engine that is configured, or for the place where Docker usually is. */
import { resolve } from 'node:path';
import Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { chosenEngine, dockerSocket } from './find-engine.ts';

/** @throws DroverError CONFIG_INVALID for an address that cannot be one */
export const dockerAt = (host: string): Docker => {
  if (host.startsWith('unix://')) return new Docker({ socketPath: resolve(host.slice('unix://'.length)) });
  const url = URL.canParse(host) ? new URL(host) : null;
  if (url === null || !['tcp:', 'http:', 'https:'].includes(url.protocol)) {
    throw new DroverError(
      'CONFIG_INVALID',
      `DOCKER_HOST=${host} is not allowed: it must be unix:///… or tcp://host:port`,
    );
  }
  const protocol = url.protocol === 'https:' ? 'https' : 'http';
  return new Docker({ host: url.hostname, protocol, port: url.port === '' ? 2375 : Number(url.port) });
};

/**
 * The engine that was chosen, whether it answers or not; without a choice Docker's own socket, whether it is there or not. Nothing
 * else is looked for: a fleet that began on whichever engine happens to be up would run its bots twice when the other comes back.
 * Nothing is asked of the engine yet. `root`: where the folders of the system begin.
 * @throws DroverError CONFIG_INVALID
 */
export const connectDocker = async (env: Readonly<Record<string, string | undefined>>, root = '/'): Promise<Docker> =>
  dockerAt((await chosenEngine(env)) ?? dockerSocket(root));

/** Is the engine on this host? Only then do this host's memory, disks and processes say anything about it. */
export const isLocal = (docker: Docker): boolean =>
  typeof (docker.modem as { socketPath?: unknown } | undefined)?.socketPath === 'string';
