/** TLS with an authority of our own, and what is said when two do not speak of the same scheme. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { startOwnObjectStore } from '../../scripts/servers/minio.ts';
import { minioEnv, noStore, refusalOf, storeAt } from './minio-support.ts';
import { startOr, tellStandIn } from './started.ts';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'drover-tls-'));
const openssl = (...args: readonly string[]) => run('openssl', [...args], { cwd: folder });
const caFile = join(folder, 'ca.crt');

/** An authority, and a certificate it gave for the loopback address. */
const makeCertificates = async (): Promise<void> => {
  await writeFile(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=ours', '-keyout', 'ca.key', '-out', 'ca.crt');
  await openssl('req', ...key, '-subj', '/CN=store', '-keyout', 'private.key', '-out', 'store.csr');
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  await openssl('x509', '-req', '-in', 'store.csr', ...by, '-days', '2', '-extfile', 'names', '-out', 'public.crt');
};

const hasOpenssl = await openssl('version').then(
  () => true,
  () => false,
);
if (hasOpenssl) await makeCertificates();
const speaksTls = hasOpenssl
  ? await startOr(() => startOwnObjectStore({ progress: () => undefined, certsDir: folder }))
  : 'no openssl here that could make a certificate';
afterAll(async () => {
  if (typeof speaksTls !== 'string') await speaksTls.stop();
  await rm(folder, { recursive: true, force: true });
});

const tlsEnv = typeof speaksTls === 'string' ? {} : speaksTls.env;

describe.skipIf(typeof speaksTls === 'string')(typeof speaksTls === 'string' ? `TLS: ${speaksTls}` : 'TLS', () => {
  if (typeof speaksTls !== 'string') tellStandIn(speaksTls);

  it('works with the authority of MINIO_CA_FILE, also for many parts and streams', async () => {
    const store = storeAt(tlsEnv, { caFile });
    await store.ping();
    const content = Buffer.alloc(9_000_000, 'x');
    await store.putCode('user-1/bot/1', Readable.from([content.subarray(0, 500_000)]));
    expect(await store.sizeOfCode('user-1/bot/1')).toBe(500_000);
    if (typeof speaksTls !== 'string' && speaksTls.instead === undefined) {
      await store.putCode('user-1/bot/1', Readable.from([content]));
      const opened = await store.openCode('user-1/bot/1');
      expect((await buffer(opened?.content ?? Readable.from([]))).equals(content)).toBe(true);
    }
  });

  it('works when a scheme before the endpoint says so', async () => {
    await storeAt(tlsEnv, { endpoint: `https://${tlsEnv['MINIO_ENDPOINT'] ?? ''}`, useSsl: false, caFile }).ping();
  });

  it('names MINIO_CA_FILE and NODE_EXTRA_CA_CERTS when the authority is unknown', async () => {
    const error = await refusalOf(storeAt(tlsEnv).ping());
    expect(error.code).toBe('ARCHIVE_UNAVAILABLE');
    expect(error.message).toMatch(/certificate is not trusted.*MINIO_CA_FILE.*NODE_EXTRA_CA_CERTS/);
  });

  it('names MINIO_ENDPOINT when the certificate is for another name', async () => {
    const endpoint = (tlsEnv['MINIO_ENDPOINT'] ?? '').replace('127.0.0.1', 'localhost');
    const error = await refusalOf(storeAt(tlsEnv, { endpoint, caFile }).ping());
    expect(error.code).toBe('ARCHIVE_UNAVAILABLE');
    expect(error.message).toMatch(/for another name.*MINIO_ENDPOINT/);
  });

  it('names MINIO_USE_SSL=true when it is spoken to without TLS', async () => {
    const error = await refusalOf(storeAt(tlsEnv, { useSsl: false }).ping());
    expect(error.code).toBe('ARCHIVE_UNAVAILABLE');
    expect(error.message).toMatch(/MINIO_USE_SSL=true/);
  });
});

const speaksPlain = noStore === undefined && minioEnv['MINIO_USE_SSL'] !== 'true';
describe.skipIf(!speaksPlain)(noStore ?? 'no TLS', () => {
  it('names MINIO_USE_SSL=false when it is spoken to with TLS', async () => {
    const error = await refusalOf(storeAt(minioEnv, { useSsl: true }).ping());
    expect(error.code).toBe('ARCHIVE_UNAVAILABLE');
    expect(error.message).toMatch(/MINIO_USE_SSL=false/);
  });
});

describe('MINIO_CA_FILE', () => {
  it.each(['absent.crt', 'nonsense.crt'])('is refused at once when it is %s', async (name) => {
    await writeFile(join(folder, 'nonsense.crt'), 'nonsense');
    const create = () =>
      storeAt({ MINIO_ENDPOINT: 'localhost:1', MINIO_USE_SSL: 'true' }, { caFile: join(folder, name) });
    expect(create).toThrow(/MINIO_CA_FILE/);
  });
});
