/** A client for the engine that is configured, or the first place where one usually is. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { chosenEngine, usualEngines } from './find-engine.ts';

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
 * What is chosen is taken, whether it answers or not: a fleet must not begin on another engine. Without a choice, it is the
 * first of the usual sockets that is there. Nothing is asked of the engine yet.
 */
export const connectDocker = async (
  env: Readonly<Record<string, string | undefined>>,
  root?: string,
): Promise<Docker> => {
  const chosen = await chosenEngine(env);
  if (chosen !== undefined) return dockerAt(chosen);
  const usual = usualEngines(env, root);
  return dockerAt(usual.find((host) => existsSync(host.slice('unix://'.length))) ?? usual[0] ?? '');
};

/** Is the engine on this host? Only then do this host's memory, disks and processes say anything about it. */
export const isLocal = (docker: Docker): boolean =>
  typeof (docker.modem as { socketPath?: unknown } | undefined)?.socketPath === 'string';
