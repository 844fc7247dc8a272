/** `runtime` as a command of its own (contract §0): its flags, in containers that no controller made. */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsIn } from '../support/container-commands.ts';
import { createHands, FOLDER_ACCESS, type HandEnd } from '../support/hand-run.ts';
import { docker, zipOf } from '../support/spine.ts';

const hands = createHands();
afterAll(() => hands.end());
const fresh = (): string => `drover-hand-${randomBytes(4).toString('hex')}`;

describe('runtime', () => {
  const MISUSED = [
    ['nonsense'],
    ['execute', '--no-such-flag'],
    ['daemon'],
    ['daemon', 'sync', '--interval', 'often', '--bot-id', 'x'],
    ['daemon', 'sync', '--readiness-port', '99999', '--bot-id', 'x'],
  ];
  let ends: readonly HandEnd[];
  beforeAll(async () => {
    ends = await hands.runAll([['version'], ...MISUSED]);
  });

  it('tells its version', () => {
    expect(ends).toHaveLength(1 + MISUSED.length);
    expect(ends[0]?.code).toBe(0);
    expect(ends[0]?.output).toMatch(/\d+\.\d+\.\d+/);
  });
  it.each(MISUSED.map((args, index) => [args, 1 + index] as const))(
    'refuses %j with how it is used, and no stack',
    (_args, index) => {
      const { code, output = '' } = ends[index] ?? {};
      expect(code).toBe(64);
      expect(output).toMatch(/usage|CONFIG_INVALID/);
      expect(output).not.toMatch(/^\s+at /m);
    },
  );
});

describe('runtime daemon', () => {
  const archive = fresh();
  const env = { BOT_ID: 'hand' };

  it('sync --watch-done says when it is ready, and ends by itself after the done file, with all stored', async () => {
    const run = await hands.run({
      args: ['daemon', 'sync', '--bot-id', 'hand', '--watch-done', '--readiness-port', '8099', '--interval', '1s'],
      volumes: { [fresh()]: '/state', [fresh()]: '/var/the0', [archive]: '/archive' },
      files: { ...FOLDER_ACCESS, '/state/.the0-state/n.json': '41' },
    });
    await expect.poll(() => run.ask(8_099, '/')).toMatchObject({ status: 200 });
    const write = await run.container.exec({
      Cmd: ['sh', '-c', 'echo 42 > /state/.the0-state/n.json; echo 0 > /var/the0/done'],
    });
    await write.start({});
    expect(await run.ended()).toMatchObject({ code: 0 });
  });
  it('init brings code and state for who starts the bot apart', async () => {
    const run = await hands.run({
      args: ['daemon', 'init', '--bot-id', 'hand', '--code-file', '/var/the0/code.zip', '--code-path', '/bot'],
      volumes: { [fresh()]: '/state', [fresh()]: '/var/the0', [archive]: '/archive' },
      files: { ...FOLDER_ACCESS, '/var/the0/code.zip': await buffer(zipOf({ 'main.js': 'here' })) },
    });
    expect(await run.ended()).toMatchObject({ code: 0, output: '' });
    const read = async (path: string): Promise<string> =>
      (await buffer(await run.container.getArchive({ path }))).toString('latin1');
    expect(await read('/bot/main.js')).toContain('here');
    expect(await read('/state/.the0-state/n.json')).toContain('42\n');
  });
  it('init without the archive store fails with the reason', async () => {
    const run = await hands.run({ args: ['daemon', 'init'], env });
    const { code, output } = await run.ended();
    expect(code).toBe(1);
    expect(output).toMatch(/STORAGE_UNAVAILABLE/);
  });
});

describe('runtime execute', () => {
  const QUERY = `const fs = require('fs'), http = require('http');
const answer = (path) => ({ status: 'ok', data: { path, params: process.env.QUERY_PARAMS, one: process.env.QUERY_PARAM_symbol } });
if (process.env.QUERY_PATH) fs.writeFileSync('/query/result.json', JSON.stringify(answer(process.env.QUERY_PATH)));
else http.createServer((request, reply) => reply.end(JSON.stringify(answer(request.url)))).listen(9476);`;
  const MAIN = `exports.main = async () => { console.log('bot runs'); process.exit(process.env.BOT_TYPE === 'realtime' ? 4 : 5); };`;
  const env = {
    BOT_ID: 'hand',
    RUNTIME: 'nodejs20',
    ENTRYPOINT: 'main.js',
    BOT_CONFIG: '{}',
    BOT_TYPE: 'realtime',
  };
  const files = { '/bot/main.js': MAIN, '/bot/query.js': QUERY };

  it('--query runs the query alone, and leaves its result', async () => {
    const run = await hands.run({
      args: ['execute', '--query', '/portfolio', '--skip-sync'],
      env: { ...env, ENTRYPOINT: 'query.js', QUERY_PARAMS: '{"symbol":"BTC"}' },
      files,
    });
    const { code, output } = await run.ended();
    expect(code).toBe(0);
    expect(output).not.toContain('bot runs');
    const result = await buffer(await run.container.getArchive({ path: '/query/result.json' }));
    expect(result.toString('latin1')).toContain(
      JSON.stringify({ status: 'ok', data: { path: '/portfolio', params: '{"symbol":"BTC"}', one: 'BTC' } }),
    );
  });
  it('--query-server-only answers on 9476 without a bot, until it is told to end', async () => {
    const run = await hands.run({
      args: ['execute', '--query-server-only', '--skip-sync'],
      env: { ...env, QUERY_ENTRYPOINT: 'query.js' },
      files,
    });
    await expect.poll(() => run.ask(9_476, '/live')).toMatchObject({ status: 200 });
    expect((await run.ask(9_476, '/live'))?.body).toContain('"path":"/live"');
    const ended = run.ended();
    // Nobody sends a second signal: it ends by this one, or never.
    await run.container.kill({ signal: 'SIGTERM' });
    expect((await ended).output).not.toContain('bot runs');
  });
  it('--skip-sync and --skip-query-server run the bot alone', async () => {
    const run = await hands.run({
      args: ['execute', '--skip-sync', '--skip-query-server'],
      env: { ...env, QUERY_ENTRYPOINT: 'query.js' },
      files: {
        ...files,
        '/bot/main.js': `exports.main = async () => { console.log('bot runs'); await new Promise(() => setInterval(() => {}, 1e3)); };`,
      },
    });
    // Whatever stands beside a bot is started before it.
    await expect.poll(run.output).toContain('bot runs');
    const commands = await commandsIn(run.container.id);
    expect(commands.join('\n')).toContain('/app/runtime execute');
    expect(commands.join('\n')).not.toMatch(/daemon sync|query\.js/);
    expect(await run.ask(9_476, '/live')).toBeUndefined();
    await run.container.kill({ signal: 'SIGTERM' });
    expect((await run.ended()).code).toBe(143);
  });
  it('a scheduled bot leaves its exit code in the done file', async () => {
    const the0 = fresh();
    const run = await hands.run({
      args: ['execute'],
      env: { ...env, BOT_TYPE: 'scheduled' },
      volumes: { [the0]: '/var/the0', [fresh()]: '/archive', [fresh()]: '/state' },
      files: { ...files, ...FOLDER_ACCESS },
    });
    expect(await run.ended()).toMatchObject({ code: 5 });
    const done = await buffer(await docker.getContainer(run.container.id).getArchive({ path: '/var/the0/done' }));
    expect(done.toString('latin1', 512, 513)).toBe('5');
  });
});
