/** A bot's container from outside and inside: how it is made (contract §5), what the bot finds, how it ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { docker, startSpine, zipOf, type Spine } from '../support/spine.ts';

type Exit = Extract<BotEvent, { type: 'ContainerExited' }>;

let spine: Spine;
beforeAll(async () => {
  spine = await startSpine({ policy: { backoffFirstMs: 30_000, backoffMaxMs: 30_000 } });
});
afterAll(() => spine.end());

const exitOf = async (id: string): Promise<Exit> => {
  const find = () => spine.told.find(({ botId, event }) => botId === id && event.type === 'ContainerExited');
  await expect.poll(find).toBeDefined();
  return find()?.event as Exit;
};
const ends = async (id: string, code: string, change: Parameters<Spine['deploy']>[2] = {}): Promise<Exit> => {
  await spine.deploy(id, code, { root: { drover: { restartPolicy: 'never' } }, ...change });
  return exitOf(id);
};
const python = { custom: { runtime: 'python3.11', entrypoints: { bot: 'main.py' } } };
const endsPython = async (id: string, code: string): Promise<Exit> => {
  await spine.stores.archives.putCode(`test/${id}/1.0.0`, zipOf({ 'main.py': code }));
  await spine.put(id, spine.document(id, { ...python, root: { drover: { restartPolicy: 'never' } } }));
  return exitOf(id);
};

describe('how it is made', () => {
  it('is contract §5 with its deviations', async () => {
    await spine.deploy('made', undefined, { config: { apiSecret: 'canary-7' }, root: { drover: { memoryMb: 128 } } });
    const { containerId } = await spine.reaches('made', 'running');
    const info = await docker.getContainer(containerId ?? '').inspect();
    expect(info.Config).toMatchObject({
      User: '1000:1000',
      WorkingDir: '/tmp',
      StopSignal: 'SIGTERM',
      // Hook 1 s, grace 10 s, last sync 10 s, and 5 s around them.
      StopTimeout: 26,
    });
    expect(info.Config.Labels).toMatchObject({
      'runtime.managed': 'true',
      'runtime.id': 'made',
      'runtime.type': 'realtime',
      'runtime.entrypoint': 'main.js',
      'drover.install': spine.install,
      'drover.role': 'bot',
      'drover.generation': '1',
      'drover.attempt': '1',
    });
    expect(info.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      Memory: 128 * 1024 ** 2,
      PidsLimit: 128,
      NetworkMode: 'drover-bots',
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      Privileged: false,
    });
    expect(Object.keys(info.HostConfig.Tmpfs as object).sort()).toEqual(['/query']);
    expect(info.Mounts.map(({ Destination, RW }) => `${Destination} ${String(RW)}`).sort()).toEqual([
      '/archive true',
      '/bot true',
      '/state true',
      '/tmp true',
      '/var/cache/drover/code false',
      '/var/the0 true',
    ]);
    const env = info.Config.Env.join('\n');
    expect(env).toMatch(/^BOT_ID=made$/m);
    expect(env).not.toMatch(/CONFIG=|MINIO_|NATS_URL|QUERY_PATH/);
    expect(JSON.stringify(info)).not.toContain('canary-7');
  });
  it('lets bots not reach one another', async () => {
    const network = await docker.getNetwork('drover-bots').inspect();
    expect(network.Options?.['com.docker.network.bridge.enable_icc']).toBe('false');
  });
});

describe('what the bot finds', () => {
  it('its id and configuration, its own folders, and nothing to write elsewhere', async () => {
    const exit = await ends(
      'inside',
      `const fs = require('fs');
       const can = (path) => { try { fs.writeFileSync(path + '/probe', 'x'); return true } catch { return false } };
       exports.main = async (id, config) => {
         console.log(JSON.stringify({ id, symbol: config.symbol, uid: process.getuid(), cwd: process.cwd(),
           state: can('/state'), bot: can('/bot'), tmp: can('/tmp'), etc: can('/etc'),
           config: fs.existsSync('/var/the0/config.json'), query: 'QUERY_PATH' in process.env,
           drover: Object.keys(process.env).filter((name) => name.startsWith('DROVER')) }));
       };`,
      { config: { symbol: 'BTC' }, root: { drover: { restartPolicy: 'never' } } },
    );
    const found = exit.logTail.find((line) => line.startsWith('{"id"')) ?? '{}';
    expect(JSON.parse(found)).toEqual({
      id: 'inside',
      symbol: 'BTC',
      uid: 1_000,
      cwd: '/bot',
      state: true,
      bot: true,
      tmp: true,
      etc: false,
      config: false,
      query: false,
      drover: [],
    });
  });
  it('standard output that can be opened by its path, as on the reference', async () => {
    const exit = await ends(
      'devstdout',
      `exports.main = async () => require('fs').writeFileSync('/dev/stdout', 'by path\\n');`,
    );
    expect(exit).toMatchObject({ class: 'completed' });
    expect(exit.logTail).toContain('by path');
  });
  it('the state it left, also one written in its SIGTERM handler (feature C6)', async () => {
    const code = `const fs = require('fs');
      exports.main = async () => {
        try { console.log('found ' + fs.readFileSync('/state/last', 'utf8')) } catch { console.log('found nothing') }
        process.on('SIGTERM', () => { fs.writeFileSync('/state/last', 'written at the end'); process.exit(0) });
        await new Promise(() => setInterval(() => {}, 1000));
      };`;
    await spine.deploy('keeps', code);
    const { containerId } = await spine.reaches('keeps', 'running');
    const said = async (id: string | null): Promise<string> =>
      (await docker.getContainer(id ?? '').logs({ stdout: true, stderr: true })).toString();
    await expect.poll(() => said(containerId)).toContain('found nothing');
    await spine.put('keeps', spine.document('keeps', { config: { round: 2 } }));
    const after = await spine.reaches('keeps', 'running', (bot) => bot.containerId !== containerId);
    await expect.poll(() => said(after.containerId)).toContain('found written at the end');
  });
});

describe('how it ends', () => {
  it.each([
    ['completed', `exports.main = async () => {};`, { exitCode: 0, class: 'completed' }],
    ['fails', `exports.main = async () => { throw new Error('no funds') };`, { exitCode: 1, class: 'appError' }],
    ['throws', `exports.main = () => { throw new Error('at once') };`, { exitCode: 1, class: 'appError' }],
    ['exits', `exports.main = async () => process.exit(42);`, { exitCode: 42, class: 'appError' }],
    ['nomain', `exports.notMain = 1;`, { exitCode: 1, class: 'appError' }],
    [
      'killed-inside',
      `exports.main = async () => process.kill(process.pid, 'SIGKILL');`,
      { exitCode: 137, class: 'killedByOthers' },
    ],
    [
      'segfaults',
      `exports.main = async () => process.kill(process.pid, 'SIGSEGV');`,
      { exitCode: 139, class: 'appError' },
    ],
  ])('a Node bot that %s', async (id, code, expected) => {
    expect(await ends(id, code)).toMatchObject(expected);
  });
  it.each([
    ['py-done', `def main(bot_id, config):\n    print(bot_id)\n`, { exitCode: 0, class: 'completed' }],
    ['py-raises', `def main(bot_id, config):\n    raise ValueError("no funds")\n`, { exitCode: 1, class: 'appError' }],
    ['py-exits', `import sys\ndef main(bot_id, config):\n    sys.exit(7)\n`, { exitCode: 7, class: 'appError' }],
    ['py-broken', `def main(:\n`, { exitCode: 1, class: 'appError' }],
  ])('a Python bot: %s (pitfall 45)', async (id, code, expected) => {
    expect(await endsPython(id, code)).toMatchObject(expected);
  });
  it('killed for memory is told as that, by a hand’s SIGKILL as that', async () => {
    const eater = `exports.main = async () => { const all = []; for (;;) all.push(Buffer.alloc(8e6, 1)); };`;
    expect(await ends('eater', eater, { root: { drover: { memoryMb: 96, restartPolicy: 'never' } } })).toMatchObject({
      class: 'oom',
    });
    await spine.deploy('byhand', undefined, { root: { drover: { restartPolicy: 'never' } } });
    const { containerId } = await spine.reaches('byhand', 'running');
    await docker.getContainer(containerId ?? '').kill();
    expect(await exitOf('byhand')).toMatchObject({ class: 'killedByOthers', exitCode: 137 });
  });
  it('stopped by hand is told as killed by others, not as completed', async () => {
    await spine.deploy('handstop');
    const { containerId } = await spine.reaches('handstop', 'running');
    const logs = async () => (await docker.getContainer(containerId ?? '').logs({ stdout: true })).toString();
    await expect.poll(logs).toContain('beat');
    await docker.getContainer(containerId ?? '').stop({ t: 10 });
    expect(await exitOf('handstop')).toMatchObject({ class: 'killedByOthers' });
  });
  it('one that ignores SIGTERM is killed after its grace, with all its children', async () => {
    const stubborn = `exports.main = async () => {
      process.on('SIGTERM', () => console.log('ignored'));
      require('child_process').spawn('sleep', ['300'], { stdio: 'inherit', detached: true });
      setInterval(() => console.log('beat'), 300);
      await new Promise(() => {});
    };`;
    await spine.deploy('stubborn', stubborn, { root: { drover: { stopGraceSeconds: 2 } } });
    const { containerId } = await spine.reaches('stubborn', 'running');
    const logs = async () => (await docker.getContainer(containerId ?? '').logs({ stdout: true })).toString();
    await expect.poll(logs).toContain('beat');
    await spine.put('stubborn', spine.document('stubborn', { config: { enabled: false } }));
    await spine.reaches('stubborn', 'stopped');
    const exit = await exitOf('stubborn');
    expect(exit).toMatchObject({ class: 'stoppedByUs', exitCode: 137 });
    expect(exit.logTail).toContain('ignored');
  });
  it('a grandchild that holds the output open holds nothing up (pitfall 47)', async () => {
    const leaving = `exports.main = async () => {
      require('child_process').spawn('sleep', ['300'], { stdio: 'inherit', detached: true }).unref();
    };`;
    expect(await ends('leaving', leaving)).toMatchObject({ class: 'completed', exitCode: 0 });
  });
});
