/** A client for the engine that is configured, or for the place where Docker usually is. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import Modem from 'docker-modem';
import Docker from 'dockerode';
import { DroverError } from '../../domain/errors.ts';
import { chosenEngine, dockerSocket, type Env } from './find-engine.ts';

/** Where the engine is, and with which certificates it is spoken to. */
type Address =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number; readonly tls: Certificates | undefined };

/** None: those that the system trusts, and none of our own. */
interface Certificates {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

const PORT = { plain: 2375, tls: 2376 } as const;

/**
 * The client reads DOCKER_HOST and the like by itself, and prefers them to what it is given (docker-modem's `defaultOpts`): an option
 * of ours would lose against a variable. So its constructor is not run; these are all the fields that it sets.
 */
const clientFor = (address: Address): Docker => {
  const common = { headers: {}, sshOptions: {}, protocol: 'http' };
  const fields =
    'socketPath' in address
      ? { ...common, ...address }
      : {
          ...common,
          host: address.host,
          port: address.port,
          pathPrefix: '/',
          ...(address.tls === undefined ? {} : { ...address.tls, protocol: 'https' }),
        };
  const modem = Object.assign(Object.create(Modem.prototype) as Modem, fields);
  return new Docker({ modem } as Docker.DockerOptions);
};

const invalid = (host: string, why: string): DroverError =>
  new DroverError('CONFIG_INVALID', `DOCKER_HOST=${host} is not allowed: ${why}`);

/** As the docker command finds them: DOCKER_CERT_PATH, else ~/.docker. @throws DroverError CONFIG_INVALID */
const certificatesIn = (host: string, env: Env): Certificates => {
  const given = env['DOCKER_CERT_PATH'] ?? '';
  const folder = given === '' ? join(env['HOME'] ?? homedir(), '.docker') : given;
  const read = (name: string): Buffer => {
    const path = join(folder, name);
    try {
      return readFileSync(path);
    } catch (cause) {
      const why = `TLS needs ${path}, which cannot be read; set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem`;
      throw new DroverError('CONFIG_INVALID', `DOCKER_HOST=${host} is not allowed: ${why}`, { cause });
    }
  };
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
};

/**
 * `env`: whether and with what TLS is spoken (DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, HOME). Nothing else decides where the engine is.
 * @throws DroverError CONFIG_INVALID for an address that cannot be one, and for certificates that cannot be read
 */
export const dockerAt = (host: string, env: Env = {}): Docker => {
  if (host.startsWith('unix://')) return clientFor({ socketPath: resolve(host.slice('unix://'.length)) });
  const url = URL.canParse(host) ? new URL(host) : null;
  if (url === null || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw invalid(host, 'it must be unix:///… or tcp://host:port');
  }
  if (!['', '/'].includes(url.pathname) || url.username !== '') {
    throw invalid(host, 'it must be tcp://host:port, without a path and without a user');
  }
  // As the docker command does: any value of the variable. An https address alone may have a certificate that all know.
  const verified = (env['DOCKER_TLS_VERIFY'] ?? '') !== '' || (env['DOCKER_CERT_PATH'] ?? '') !== '';
  const secure = url.protocol === 'https:' || (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  const port = url.port === '' ? (secure ? PORT.tls : PORT.plain) : Number(url.port);
  const tls = secure ? (verified ? certificatesIn(host, env) : {}) : undefined;
  return clientFor({ host: url.hostname, port, tls });
};

/**
 * The engine that was chosen, whether it answers or not; without a choice Docker's own socket, whether it is there or not. Nothing
 * else is looked for: a fleet that began on whichever engine happens to be up would run its bots twice when the other comes back.
 * Nothing is asked of the engine yet. `root`: where the folders of the system begin.
 * @throws DroverError CONFIG_INVALID
 */
export const connectDocker = async (env: Env, root = '/'): Promise<Docker> =>
  dockerAt((await chosenEngine(env)) ?? dockerSocket(root), env);

/** Is the engine on this host? Only then do this host's memory, disks and processes say anything about it. */
export const isLocal = (docker: Docker): boolean =>
  typeof (docker.modem as { socketPath?: unknown } | undefined)?.socketPath === 'string';
