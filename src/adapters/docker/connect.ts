/** A client for the engine that is configured, or the first place where one usually is. */
import { resolve } from 'node:path';
import Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { findEngineHosts } from './find-engine.ts';

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

/** `given`: DOCKER_HOST, when it is set. Nothing is asked of the engine yet. */
export const connectDocker = async (given: string | undefined): Promise<Docker> => {
  const [host = ''] = await findEngineHosts({ DOCKER_HOST: given });
  return dockerAt(host);
};

/** Is the engine on this host? Only then do this host's memory, disks and processes say anything about it. */
export const isLocal = (docker: Docker): boolean =>
  typeof (docker.modem as { socketPath?: unknown } | undefined)?.socketPath === 'string';
