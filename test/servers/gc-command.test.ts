/** `drover gc` as an operator runs it: exit codes, the table, JSON, and the service with its health. */
import { describe, expect } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';
import { gcTest as it, mongoAt, mongoHost, noServers, runGc, startGc } from './gc-support.ts';

describe('drover gc without an object store', () => {
  it('says that there is nothing for it to do, and ends well', async () => {
    const ended = await runGc([], {});
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/nothing to do.*controller/) as string });
  });
  it('needs MONGO_URI where there is one', async () => {
    const ended = await runGc([], {
      MINIO_ENDPOINT: '127.0.0.1:1',
      MINIO_ACCESS_KEY: 'a',
      MINIO_SECRET_KEY: 'bbbbbbbb',
    });
    expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/needs MONGO_URI/) as string });
  });
  it.each([
    [['--interval', 'often'], /duration/],
    [['--interval', '5m', '--force'], /single sweep/],
  ])('refuses %j', async (args, word) => {
    const ended = await runGc(args, {});
    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(word);
  });
});

describe.skipIf(noServers !== undefined).concurrent(noServers ?? 'drover gc', () => {
  it('shows in a dry run what it would remove, does it, and then has nothing to do', async ({ world }) => {
    await world.leave('gone');
    const env = { ...world.env, GC_GRACE: '0' };
    const dry = await runGc(['--dry-run'], env);
    expect(dry.code).toBe(0);
    expect(dry.out).toMatch(/orphan.*gone.*2.*would be removed/);
    expect(await world.all()).toHaveLength(2);
    const done = await runGc(['--json'], env);
    expect(done.code).toBe(0);
    expect(JSON.parse(done.out)).toMatchObject({
      dryRun: false,
      installId: world.install,
      items: [{ kind: 'orphan', name: 'gone', fate: 'removed', objects: 2 }],
      problems: [],
    });
    expect(await world.all()).toEqual([]);
    expect((await runGc([], env)).out).toMatch(/nothing to remove/);
  });

  it('ends with 1 and says why when many would go, and with 0 when forced', async ({ world }) => {
    await world.leave('a', 'b', 'c', 'd');
    const env = { ...world.env, GC_GRACE: '0' };
    const refused = await runGc([], env);
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/refused/);
    expect(refused.err).toMatch(/4 ids would be removed at once.*GC_REFUSED/);
    expect(await world.all()).toHaveLength(8);
    expect((await runGc(['--force'], env)).code).toBe(0);
    expect(await world.all()).toEqual([]);
  });

  it('ends with 1 when MongoDB is away, and leaves all where it is', async ({ world }) => {
    await world.leave('a');
    const ended = await runGc([], {
      ...world.env,
      GC_GRACE: '0',
      MONGO_URI: `mongodb://127.0.0.1:${String(await freePort())}/`,
    });
    expect(ended).toMatchObject({
      code: 1,
      err: expect.stringMatching(/MongoDB does not answer.*STORE_UNAVAILABLE/) as string,
    });
    expect(await world.all()).toHaveLength(2);
  });

  it('as a service sweeps again and again, tells its health, lives without MongoDB, and ends when asked', async ({
    world,
    later,
    expect,
  }) => {
    const port = await freePort();
    const proxy = await openTcpProxy(mongoHost);
    later(proxy.close);
    const env = {
      ...world.env,
      GC_GRACE: '0',
      GC_PORT: String(port),
      MONGO_URI: mongoAt(proxy.address),
    };
    const { child, ended, said } = startGc(['--interval', '300ms'], env);
    later(() => {
      child.kill('SIGKILL');
      return ended;
    });
    const status = (path: string): Promise<number> =>
      fetch(`http://127.0.0.1:${String(port)}${path}`).then(
        (answer) => answer.status,
        () => 0,
      );
    const becomes = (code: number): Promise<void> => expect.poll(() => status('/readyz')).toBe(code);
    await becomes(200);
    expect(await status('/healthz')).toBe(200);
    await world.leave('first');
    await expect.poll(() => world.all()).toEqual([]);
    proxy.cut();
    await becomes(503);
    expect(await status('/healthz')).toBe(200);
    await world.leave('second');
    proxy.restore();
    await becomes(200);
    await expect.poll(() => world.all()).toEqual([]);
    child.kill('SIGTERM');
    expect((await ended).code, said.err).toBe(0);
    expect(said.err).toMatch(/STORE_UNAVAILABLE/);
  });
});
