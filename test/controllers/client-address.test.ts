/** Where the command line looks for drover: where the same settings have told it to listen. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDrover } from '../../scripts/drover-process.ts';
import { clientConfig, loadConfig } from '../../src/config.ts';
import { openCli, type ServedCli } from '../support/served-cli.ts';

let cli: ServedCli;
let folder: string;
beforeAll(async () => {
  cli = await openCli();
  ({ folder } = cli);
});
afterAll(() => cli.close());

const portOf = (url: string): string => new URL(url).port;

describe('case D7: the same configuration for server and command line', () => {
  it('case D7: HTTP_PORT, HTTP_HOST and the configuration file lead the command line to the controller', async () => {
    const config = join(folder, 'drover.yaml');
    await writeFile(config, 'http_port: 18081\nhttp_host: "::"\napi_token: from-the-file\nmax_crashes: nonsense\n');
    const found = (env: Record<string, string>) => clientConfig({}, env);
    expect(found({}).url).toBe('http://127.0.0.1:8080');
    expect(found({ HTTP_PORT: '18080' }).url).toBe('http://127.0.0.1:18080');
    expect(found({ HTTP_HOST: '0.0.0.0', HTTP_PORT: '18080' }).url).toBe('http://127.0.0.1:18080');
    expect(found({ DROVER_CONFIG: config })).toMatchObject({ url: 'http://[::1]:18081', token: 'from-the-file' });
    expect(found({ DROVER_CONFIG: config, HTTP_PORT: '1' }).url).toBe('http://[::1]:1');
    expect(found({ DROVER_URL: 'http://elsewhere:1', HTTP_PORT: '2' }).url).toBe('http://elsewhere:1');
    expect(clientConfig({ url: 'http://given:3' }, { DROVER_URL: 'http://elsewhere:1' }).url).toBe('http://given:3');
    expect(() => found({ HTTP_PORT: '0' })).toThrow(/--url or DROVER_URL/);
  });
  it('case D7: a DROVER_URL on this machine is where the controller listens, and one elsewhere is not', () => {
    expect(loadConfig({ env: { DROVER_URL: 'http://127.0.0.1:18080' } })).toMatchObject({ httpPort: 18_080 });
    expect(loadConfig({ env: { DROVER_URL: 'http://127.0.0.1:18080', HTTP_PORT: '7' } }).httpPort).toBe(7);
    expect(loadConfig({ env: { DROVER_URL: 'http://example.org:18080' } }).httpPort).toBe(8080);
  });
  it('case D7: the token of the controller is told to no other machine', () => {
    const env = { API_TOKEN: 'of-the-controller' };
    expect(clientConfig({}, env).token).toBe('of-the-controller');
    expect(clientConfig({ url: 'http://127.0.0.1:9' }, env).token).toBe('of-the-controller');
    expect(clientConfig({ url: 'http://example.org:9' }, env).token).toBeUndefined();
    expect(clientConfig({ url: 'http://example.org:9' }, { ...env, DROVER_TOKEN: 'own' }).token).toBe('own');
  });
  it('case D7: `HTTP_PORT=… drover get` asks that port', async () => {
    const env = { HTTP_PORT: portOf(cli.url), HTTP_HOST: '', DROVER_URL: '', DROVER_CONFIG: '' };
    expect(await runDrover(['get', '-o', 'json'], env)).toMatch(/^\[/);
  });
});
