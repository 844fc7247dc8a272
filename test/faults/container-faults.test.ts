/** What goes wrong inside a bot's container, on a real engine with the embedded store (faults R28, R29, R31, R36, R37, R50). */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { cases } from '../support/full.ts';
import { docker, startSpine, zipOf, type Spine } from '../support/spine.ts';
import { GOODBYE, KEEPING, shellBot } from '../support/state-bots.ts';

type Exit = Extract<BotEvent, { type: 'ContainerExited' }>;

let spine: Spine;
beforeAll(async () => {
  spine = await startSpine({ resyncIntervalMs: 2_000, policy: { backoffFirstMs: 300, backoffMaxMs: 1_000 } });
});
afterAll(() => spine.end());

const never = { root: { drover: { restartPolicy: 'never' } } } as const;
const exitOf = async (id: string): Promise<Exit> => {
  const find = () => spine.told.find(({ botId, event }) => botId === id && event.type === 'ContainerExited');
  await expect.poll(find, { timeout: 150_000 }).toBeDefined();
  return find()?.event as Exit;
};
const printed = async (id: string): Promise<string> => {
  const [container] = await spine.containers(id);
  if (container === undefined) return '';
  return (await docker.getContainer(container.Id).logs({ stdout: true, stderr: true })).toString('utf8');
};
const prints = (id: string, what: RegExp | string): Promise<void> => expect.poll(() => printed(id)).toMatch(what);
const conditionOf = (id: string, type: string) => spine.bot(id)?.conditions.find((one) => one.type === type);
const stop = async (id: string): Promise<void> => {
  await spine.put(id, spine.document(id, { config: { enabled: false } }));
  await spine.reaches(id, 'stopped');
};

describe('memory', () => {
  it('R28: the bot killed for memory is class oom; its container ends with 137', async () => {
    const eater = `exports.main = async () => { const all = []; for (;;) all.push(Buffer.alloc(8e6, 1)); };`;
    await spine.deploy('oom', eater, { root: { drover: { memoryMb: 96, restartPolicy: 'never' } } });
    expect(await exitOf('oom')).toMatchObject({ class: 'oom', exitCode: 137 });
  });
  it('R28: a child of it killed for memory leaves the bot running', async () => {
    const parent = `exports.main = async () => {
      // One thread, told to be the first to go before it eats: of several that fault at once the kernel may take another too.
      const eat = 'echo 1000 > /proc/self/oom_score_adj; exec tail /dev/zero';
      const child = require('child_process').spawn('sh', ['-c', eat], { stdio: 'ignore' });
      child.on('exit', (code, signal) => console.log('child ended by ' + signal));
      process.on('SIGTERM', () => process.exit(0));
      setInterval(() => {}, 1000); await new Promise(() => {}); };`;
    await spine.deploy('oomchild', parent, { root: { drover: { memoryMb: 256 } } });
    await spine.reaches('oomchild', 'running');
    await prints('oomchild', 'child ended by SIGKILL');
    expect(spine.bot('oomchild')?.state).toBe('running');
    const exits = spine.told.filter(({ botId, event }) => botId === 'oomchild' && event.type === 'ContainerExited');
    expect(exits).toEqual([]);
    await stop('oomchild');
  });
});

describe('the end', () => {
  it('R29: what ignores SIGTERM, forks twice and leaves zombies is gone after the grace, with nothing left over', async () => {
    const stubborn = `exports.main = async () => {
      process.on('SIGTERM', () => console.log('ignored'));
      require('child_process').spawn('sh', ['-c', "(trap '' TERM; setsid sleep 300 & setsid sleep 300 &) ; sh -c 'exit 0' & sleep 300"], { stdio: 'inherit' });
      setInterval(() => console.log('beat'), 200); await new Promise(() => {}); };`;
    await spine.deploy('zombies', stubborn, { root: { drover: { stopGraceSeconds: 2 } } });
    const { containerId } = await spine.reaches('zombies', 'running');
    await prints('zombies', 'beat');
    const processes = async () => {
      const { Processes } = (await docker.getContainer(containerId ?? '').top({ ps_args: '-eo pid,stat,args' })) as {
        Processes: string[][];
      };
      return {
        sleeping: Processes.filter(([, , args = '']) => args === 'sleep 300').length,
        zombies: Processes.filter(([, stat = '']) => stat.startsWith('Z')),
      };
    };
    await expect.poll(processes).toEqual({ sleeping: 3, zombies: [] });
    await stop('zombies');
    expect(await exitOf('zombies')).toMatchObject({ class: 'stoppedByUs', exitCode: 137 });
    expect(spine.bot('zombies')?.unsynced).toBe(false);
  });

  it('C6: what a bot keeps in its SIGTERM handler is there at the next start', async () => {
    await spine.deploy('goodbye', GOODBYE);
    await spine.reaches('goodbye', 'running');
    await prints('goodbye', 'found nothing');
    await stop('goodbye');
    await spine.put('goodbye', spine.document('goodbye'));
    await spine.reaches('goodbye', 'running');
    await prints('goodbye', 'found goodbye');
    await stop('goodbye');
  });

  it('C7: the stop hook runs before SIGTERM, and a hook that hangs holds nothing up', async () => {
    const bot = `exports.main = async () => {
      process.on('SIGTERM', () => { console.log('asked to end at ' + Date.now()); process.exit(0); });
      console.log('up'); setInterval(() => {}, 1000); await new Promise(() => {}); };`;
    const hook = `console.log('flattened at ' + Date.now()); require('fs').writeFileSync('/state/flat', 'yes');`;
    const deploy = async (id: string, stopCode: string): Promise<void> => {
      await spine.stores.archives.putCode(`test/${id}/1.0.0`, zipOf({ 'main.js': bot, 'flatten.js': stopCode }));
      const custom = { entrypoints: { bot: 'main.js', stop: 'flatten.js' } };
      const root = { drover: { stopHookSeconds: 2, restartPolicy: 'never' } };
      await spine.put(id, spine.document(id, { custom, root }));
      await spine.reaches(id, 'running');
      await prints(id, 'up');
    };
    await deploy('hooked', hook);
    await deploy('hanging', 'setInterval(() => {}, 1000)');
    for (const id of ['hooked', 'hanging']) {
      const [container] = await spine.containers(id);
      await docker.getContainer(container?.Id ?? '').stop({ t: 60 });
    }
    const said = (await exitOf('hooked')).logTail.join('\n');
    const at = (what: string): number => Number(new RegExp(`${what} at (\\d+)`).exec(said)?.[1]);
    expect(at('flattened')).toBeLessThanOrEqual(at('asked to end'));
    expect((await exitOf('hanging')).logTail.join('\n')).toContain('asked to end');
  });
});

describe('output', () => {
  it('R31: a flood, one endless line, bytes that are no text, and a last line without an end', async () => {
    const flood = `exports.main = async () => {
      const write = (chunk) => new Promise((done) => process.stdout.write(chunk, done));
      const line = Buffer.alloc(1e6, 'x'); line[line.length - 1] = 10;
      for (let n = 0; n < ${String(cases(40, 300))}; n += 1) await write(line);
      for (let n = 0; n < ${String(cases(15, 100))}; n += 1) await write(Buffer.alloc(1e6, 'y'));
      await write('\\n'); await write(Buffer.from([0xff, 0xfe, 0x80, 10]));
      await write('the very end'); };`;
    await spine.deploy('flood', flood, { root: { drover: { restartPolicy: 'never', memoryMb: 256 } } });
    const exit = await exitOf('flood');
    expect(exit).toMatchObject({ class: 'completed', exitCode: 0 });
    // What PID 1 says of the end stands in a line of its own behind it.
    expect(exit.logTail.at(-2)).toBe('the very end');
    expect(spine.bot('flood')?.unsynced).toBe(false);
  });
});

describe('state', () => {
  it('R36: files that change while they are read, a FIFO and a socket hold nothing up and tear nothing', async () => {
    const script = `cd /state && mkfifo pipe && mkdir -p busy && (while :; do date +%N%N%N > busy/a; echo more >> busy/b; rm -f busy/c; echo x > busy/c; done) &
      node -e "require('net').createServer().listen('/state/socket'); setTimeout(() => {}, 3e5)"`;
    await spine.deploy('restless', shellBot(script));
    await spine.reaches('restless', 'running');
    await expect.poll(() => conditionOf('restless', 'StateSynced')?.status).toMatch(/^(True|False)$/);
    await stop('restless');
    await spine.reaches('restless', 'stopped', ({ unsynced }) => !unsynced);
    const listed = (await spine.drover.stateSnapshots.list('restless')) as { snapshots: { files: number }[] };
    expect(listed.snapshots.at(-1)?.files).toBeGreaterThanOrEqual(2);
  });
  it('R37: a file over the limit is named, and the rest is stored', async () => {
    const script = `cd /state && truncate -s 11M huge.bin && echo small > small.txt && sleep 300`;
    await spine.deploy('large', shellBot(script));
    await spine.reaches('large', 'running');
    await expect.poll(() => conditionOf('large', 'StateSynced')?.reason).toBe('OverLimit');
    expect(conditionOf('large', 'StateSynced')?.message).toContain('huge.bin (11 MiB)');
    const listed = (await spine.drover.stateSnapshots.list('large')) as { snapshots: { files: number }[] };
    expect(listed.snapshots.at(-1)?.files).toBe(1);
    await stop('large');
  });
  it('E5: the last write before a quiet time is stored without another one, nor the sweep, to bring it along', async () => {
    const bot = `exports.main = async () => {
      process.on('SIGTERM', () => process.exit(0));
      setTimeout(() => { require('fs').writeFileSync('/state/late.txt', 'late'); console.log('wrote at ' + Date.now()); }, 3000);
      setInterval(() => {}, 1000); await new Promise(() => {}); };`;
    await spine.deploy('quiet', bot);
    await spine.reaches('quiet', 'running');
    await prints('quiet', /wrote at \d+/);
    const wroteAt = Number(/wrote at (\d+)/.exec(await printed('quiet'))?.[1]);
    const holding = async (): Promise<string | undefined> => {
      const listed = (await spine.drover.stateSnapshots.list('quiet')) as {
        snapshots: { files: number; createdAt: string }[];
      };
      return listed.snapshots.find(({ files }) => files === 1)?.createdAt;
    };
    await expect.poll(holding).toBeDefined();
    // Well before the sweep, which comes a minute after the start.
    expect(Date.parse((await holding()) ?? '') - wroteAt).toBeLessThan(40_000);
    await stop('quiet');
  });
  it('cleared state stays cleared', async () => {
    await spine.deploy('cleared', KEEPING, { config: { word: 'kept' } });
    await spine.reaches('cleared', 'running');
    await prints('cleared', 'beat');
    await spine.put('cleared', spine.document('cleared', { config: { clear: true } }));
    await spine.reaches('cleared', 'running', ({ generation }) => generation === 2);
    await prints('cleared', 'found kept');
    await stop('cleared');
    const listed = (await spine.drover.stateSnapshots.list('cleared')) as { snapshots: { files: number }[] };
    expect(listed.snapshots.at(-1)?.files).toBe(0);
  });
});

describe('a hostile bot', () => {
  it('R50: finds no keys, reaches no neighbour, and its forged markers change nothing', async () => {
    await spine.deploy(
      'victim',
      `exports.main = async () => { require('http').createServer((_, r) => r.end('secret')).listen(9476); await new Promise(() => {}); };`,
    );
    const { containerId } = await spine.reaches('victim', 'running');
    const { NetworkSettings } = await docker.getContainer(containerId ?? '').inspect();
    const address = NetworkSettings.Networks['drover-bots']?.IPAddress ?? '';
    const hostile = `const fs = require('fs');
      const can = (what) => { try { what(); return true } catch { return false } };
      const reach = (host, port) => new Promise((done) => { const s = require('net').connect({ host, port, timeout: 1500 }, () => done(true)); s.on('error', () => done(false)); s.on('timeout', () => done(false)); });
      exports.main = async (id, config) => {
        fs.writeFileSync('/var/the0/done', '0');
        const report = JSON.stringify({ attempt: 1, phase: 'bot', code: 0, final: { stateSynced: true, logsShipped: true } });
        can(() => fs.rmSync('/var/the0/exit-report.json', { force: true })); can(() => fs.writeFileSync('/var/the0/exit-report.json', report));
        const forks = []; for (let n = 0; n < 200; n += 1) can(() => forks.push(require('child_process').spawn('sleep', ['5'])));
        for (const fork of forks) fork.on('error', () => {});
        console.log(JSON.stringify({
          keys: Object.keys(process.env).filter((name) => /MINIO|NATS|MONGO|SECRET|KEY|TOKEN|DROVER/.test(name)),
          config: can(() => fs.readFileSync('/var/the0/config.json')),
          cache: can(() => fs.writeFileSync('/var/cache/drover/code/evil.zip', 'x')),
          root: can(() => fs.writeFileSync('/etc/evil', 'x')), docker: fs.existsSync('/var/run/docker.sock'),
          neighbour: await reach(config.neighbour, 9476), loopback: await reach(config.gateway, config.port), host: can(() => require('dns').lookup) && process.getuid() === 0 }));
        await new Promise((done) => setTimeout(done, 500)); process.exit(3); };`;
    // As all servers of the controller are by default: on the loopback of this host.
    const ours = createServer().listen(0, '127.0.0.1');
    await once(ours, 'listening');
    const { port } = ours.address() as AddressInfo;
    const gateway = NetworkSettings.Networks['drover-bots']?.Gateway ?? '';
    await spine.deploy('hostile', hostile, { ...never, config: { neighbour: address, gateway, port } });
    const exit = await exitOf('hostile');
    const found = exit.logTail.find((line) => line.startsWith('{"keys"')) ?? '{}';
    expect(JSON.parse(found)).toEqual({
      keys: [],
      config: false,
      cache: false,
      root: false,
      docker: false,
      neighbour: false,
      loopback: false,
      host: false,
    });
    ours.close();
    expect(exit).toMatchObject({ class: 'appError', exitCode: 3 });
    const info = await docker.getContainer(containerId ?? '').inspect();
    expect(info.State.Running).toBe(true);
  });
});
