/** What a user wrote in bot.yaml reaches a real bot, and what a real bot answers reaches the terminal, to the digit. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDrover, startDrover, type DroverProcess } from '../../scripts/drover-process.ts';
import { freePort } from '../../scripts/free-port.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import { until } from '../../scripts/until.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const BOT = `
import os, time

def main(id, config):
    print('text', os.environ['BOT_CONFIG'], flush=True)
    print('python', repr(config['channel_id']), repr(config['stake']), config['dry_run'], flush=True)
    while True:
        time.sleep(1)
`;
/** Python keeps integers of any size: a digit that is lost was lost by us. */
const QUERY = `
import json, os

def answer(params):
    config = json.loads(os.environ['BOT_CONFIG'])
    return '{"status":"ok","data":{"order":1098765432109876543,"stake":1.0,"tiny":1e-9,"asked":%s,"channel":%d}}' % (
        json.dumps(params), config['channel_id'])

if os.environ.get('QUERY_PATH'):
    with open('/query/result.json', 'w') as file:
        file.write(answer(json.loads(os.environ['QUERY_PARAMS'])))
else:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers.get('content-length', 0))).decode() or '{}'
            body = answer(json.loads(text)).encode()
            self.send_response(200)
            self.send_header('content-type', 'application/json')
            self.send_header('content-length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    HTTPServer(('0.0.0.0', 9476), Handler).serve_forever()
`;
const DOCUMENT = `
defaults: &defaults { dry_run: true, channel_id: 1 }
id: 2024
config:
  <<: *defaults
  name: exact
  type: realtime/exact
  version: 1.0.0
  channel_id: 1098765432109876543
  stake: 10.0
custom:
  version: 1.0.0
  config: { name: exact, runtime: python3.11, version: 1.0.0, type: realtime, entrypoints: { bot: main.py, query: query.py } }
`;

describe('numbers', () => {
  let folder: string;
  let install: string;
  let env: Record<string, string>;
  let drover: DroverProcess;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-exact-'));
    install = newInstall();
    await mkdir(join(folder, 'bot'));
    await writeFile(join(folder, 'bot', 'main.py'), BOT);
    await writeFile(join(folder, 'bot', 'query.py'), QUERY);
    await writeFile(join(folder, 'bot', 'bot.yaml'), DOCUMENT);
    env = {
      DOCKER_HOST: HOST,
      RUNTIME_IMAGE: IMAGE,
      DROVER_DATA_DIR: join(folder, 'data'),
      INSTALL_ID: install,
      LOG_FORMAT: 'json',
    };
    drover = await startDrover({ port: await freePort(), env });
    env['DROVER_URL'] = drover.url;
    await runDrover(['apply', join(folder, 'bot')], env);
    const runs = async (): Promise<boolean> => (await drover.bot('2024'))?.state === 'running';
    await until(runs, { within: 120_000, otherwise: () => drover.output() });
  });
  afterAll(async () => {
    await drover.end('SIGTERM');
    await removeInstall(docker, install);
    await rm(folder, { recursive: true, force: true });
  });

  const printed = async (): Promise<string> => {
    const filters = { label: [`drover.install=${install}`, 'drover.role=bot'] };
    const [container] = await docker.listContainers({ filters });
    if (container === undefined) return '';
    return (await docker.getContainer(container.Id).logs({ stdout: true, stderr: true })).toString('utf8');
  };

  it('case A1, case A2, case A5: reach a bot as they were written, with the merged defaults, under an id of digits', async () => {
    await expect.poll(printed).toContain('python 1098765432109876543 10.0 True');
    const text = await printed();
    expect(text).toContain('"channel_id":1098765432109876543,');
    expect(text).toMatch(/"stake":10\.0[,}]/);
    expect(text).toContain('"dry_run":true');
    expect(await runDrover(['get', '2024', '-o', 'json'], env)).toContain('"version": "1.0.0"');
  });

  const ASK = ['query', '2024', '/numbers', '--params', '{"id": 1098765432109876543, "price": 2.50}'];
  it.each([
    ['that runs', 'running', []],
    ['that does not run', 'stopped', ['disable', '2024']],
  ] as const)('case A8: a reply of a bot %s is printed with the digits of the bot', async (_who, state, first) => {
    if (first.length > 0) await runDrover(first, env);
    await expect.poll(async () => (await drover.bot('2024'))?.state).toBe(state);
    await expect.poll(() => runDrover(ASK, env).catch((thrown: unknown) => String(thrown))).toContain('"order"');
    const answer = await runDrover(ASK, env);
    expect(answer).toContain('"order": 1098765432109876543');
    expect(answer).toMatch(/"stake": 1\.0\b/);
    expect(answer).toContain('"tiny": 1e-9');
    expect(answer).toContain('"channel": 1098765432109876543');
    expect(answer).toContain('"id": 1098765432109876543');
  });
});
