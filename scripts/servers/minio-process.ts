/** A MinIO server, or s3rver in its place, of our own: fresh data, a free port on loopback. */
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { createServerProcess, type ServerProcess } from './server-process.ts';
import type { TestServer } from './test-server.ts';

/** Key and secret of every s3rver; nobody gives them to a MinIO. */
export const S3RVER_KEY = 'S3RVER';

export interface OwnObjectStore extends TestServer, ServerProcess {
  /** `host:port` */
  readonly endpoint: string;
}

const ANSWER_MS = 2_000;

/** Any answer below 500: without a signature both servers refuse, and with that they are up. */
const answersAt = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const options = { timeout: ANSWER_MS, rejectUnauthorized: false, agent: false } as const;
    const asked = url.startsWith('https:') ? https.get(url, options) : http.get(url, options);
    asked.on('response', (answer) => {
      answer.resume();
      resolve((answer.statusCode ?? 500) < 500);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', () => {
      resolve(false);
    });
  });

/** Settings of another MinIO in our environment are not for this one. */
const withoutMinio = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MINIO_')));

interface Program {
  readonly how: string;
  readonly command: string;
  args(port: number, data: string): readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly health: string;
  readonly keys: { readonly access: string; readonly secret: string };
  readonly useSsl: boolean;
}

const startProgram = async (program: Program): Promise<OwnObjectStore> => {
  const data = await mkdtemp(join(tmpdir(), 'drover-objects-'));
  const port = await freePort();
  const endpoint = `127.0.0.1:${String(port)}`;
  const server = createServerProcess({
    command: program.command,
    args: program.args(port, data),
    env: { ...withoutMinio(), ...program.env, HOME: data },
    answers: () => answersAt(`${program.useSsl ? 'https' : 'http'}://${endpoint}${program.health}`),
  });
  const stop = async (): Promise<void> => {
    server.thaw();
    // Its data goes with it: there is nothing to tidy up.
    await server.kill('SIGKILL');
    await rm(data, { recursive: true, force: true });
  };
  try {
    await server.start();
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  const env = {
    MINIO_ENDPOINT: endpoint,
    MINIO_ACCESS_KEY: program.keys.access,
    MINIO_SECRET_KEY: program.keys.secret,
    MINIO_USE_SSL: String(program.useSsl),
  };
  return { ...server, endpoint, env, how: program.how, stop };
};

/** `certsDir`: a folder with `public.crt` and `private.key`, which makes it speak TLS. */
export const startOwnMinio = (path: string, certsDir?: string): Promise<OwnObjectStore> => {
  const keys = { access: 'drover-test', secret: 'drover-test-secret' };
  const certs = certsDir === undefined ? [] : ['--certs-dir', certsDir];
  return startProgram({
    how: `MinIO (${path})`,
    command: path,
    args: (port, data) => [
      'server',
      join(data, 'drive'),
      '--quiet',
      '--address',
      `127.0.0.1:${String(port)}`,
      ...certs,
    ],
    env: {
      MINIO_ROOT_USER: keys.access,
      MINIO_ROOT_PASSWORD: keys.secret,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    },
    health: '/minio/health/cluster',
    keys,
    useSsl: certsDir !== undefined,
  });
};

/** Path of the s3rver package's program, or undefined when the package is not installed. */
export const s3rverPath = (): string | undefined => {
  try {
    return createRequire(import.meta.url).resolve('s3rver/bin/s3rver.js');
  } catch {
    return undefined;
  }
};

/** Undefined when the package is not installed. */
export const startOwnS3rver = async (certsDir?: string): Promise<OwnObjectStore | undefined> => {
  const path = s3rverPath();
  if (path === undefined) return undefined;
  const tls =
    certsDir === undefined ? [] : ['--key', join(certsDir, 'private.key'), '--cert', join(certsDir, 'public.crt')];
  return startProgram({
    how: 's3rver (npm package)',
    command: process.execPath,
    args: (port, data) => [
      path,
      '--silent',
      '--directory',
      join(data, 'drive'),
      '--address',
      '127.0.0.1',
      '--port',
      String(port),
      ...tls,
    ],
    env: {},
    health: '/',
    keys: { access: S3RVER_KEY, secret: S3RVER_KEY },
    useSsl: certsDir !== undefined,
  });
};
