/** What nobody can know at present is said to be unknown: by the API, by the command line, and by readiness. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { serve } from '../../src/api/serve.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { createProgram } from '../../src/cli/program.ts';
import { DroverError } from '../../src/domain/errors.ts';
import type { Condition } from '../../src/domain/running-bot.ts';
import type { Engine } from '../../src/ports/container-tools.ts';
import { aDocument, openApp, type ServedApp } from '../support/served.ts';

interface Shown {
  readonly status: string;
  readonly state: string;
  readonly generation: number;
  readonly conditions: readonly Condition[];
}
interface Ready {
  readonly ready: boolean;
  readonly dependencies: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

let api: ServedApp;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

const call = async (method: string, path: string, body?: unknown): Promise<Response> =>
  api.app.request(`http://127.0.0.1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const shown = async (id: string): Promise<Shown> => (await (await call('GET', `/v1/bots/${id}`)).json()) as Shown;
const ready = async (): Promise<Ready> => (await (await call('GET', '/readyz?verbose')).json()) as Ready;
const partOf = async (name: string) => (await ready()).dependencies.find((part) => part.name === name);
const readyOf = ({ conditions }: Shown): Condition | undefined => conditions.find(({ type }) => type === 'Ready');
const get = async (): Promise<string> => {
  const served = await serve(api.app, { host: '127.0.0.1', port: 0, setting: 'HTTP_PORT' });
  const lines: string[] = [];
  const program = createProgram({
    out: (text) => lines.push(text),
    isTerminal: false,
    client: () => createApiClient({ url: served.url, token: undefined, actor: 'cli:test' }),
    env: {},
    signal: new AbortController().signal,
  });
  await program.parseAsync(['node', 'drover', 'get']);
  await served.close();
  return lines.join('\n');
};

describe('an engine that is away', () => {
  let away = false;
  const gone = (): Promise<never> => Promise.reject(new DroverError('ENGINE_UNAVAILABLE', 'nobody is there'));
  const wrap = (engine: Engine): Engine => ({
    ...engine,
    list: () => (away ? gone() : engine.list()),
    ping: () => (away ? gone() : engine.ping()),
    observe: (id) => (away ? Promise.resolve({ kind: 'unknown', reason: 'nobody is there' }) : engine.observe(id)),
  });

  it('case E19: leaves running bots unknown, with the reason and since when, until it is back', async () => {
    away = false;
    api = await openApp(undefined, { wrap, resyncIntervalMs: 100 });
    cleanUp.push(() => api.close());
    await call('PUT', '/v1/bots/trader', aDocument('trader'));
    const off = aDocument('idle', { enabled: false });
    await call('PUT', '/v1/bots/idle', off);
    await expect.poll(async () => (await shown('trader')).status).toBe('running');
    await expect.poll(async () => (await shown('idle')).generation).toBe(1);
    expect(await ready()).toMatchObject({ ready: true });
    const before = Date.now();
    away = true;
    await expect.poll(async () => (await shown('trader')).status).toBe('unknown');
    const bot = await shown('trader');
    expect(bot.state).toBe('running');
    const condition = readyOf(bot);
    expect(condition).toMatchObject({ status: 'Unknown', reason: 'EngineUnavailable' });
    expect(condition?.message).toMatch(/^unknown since 20.*Z.*: nobody is there; last known: running$/);
    expect(condition?.lastTransitionTime).toBeGreaterThanOrEqual(before);
    expect((await shown('idle')).status, 'has no container, and is to have none').toBe('stopped');
    expect(await get()).toMatch(/trader .*unknown \(was running\).*EngineUnavailable/);
    expect(await ready()).toMatchObject({ ready: false });
    away = false;
    await expect.poll(async () => (await shown('trader')).status).toBe('running');
    expect(readyOf(await shown('trader'))).toMatchObject({ status: 'True' });
  });

  it('case E2: ticks that fail are known to readiness: how often, since when, and why', async () => {
    let broken = false;
    api = await openApp(undefined, { resyncIntervalMs: 100 });
    cleanUp.push(() => api.close());
    const { readFleet } = api.stores.specs;
    Object.assign(api.stores.specs, {
      readFleet: () => (broken ? Promise.reject(new RangeError('Maximum call stack size exceeded')) : readFleet()),
    });
    expect(await partOf('ticks')).toEqual({ name: 'ticks', ok: true, detail: 'run' });
    broken = true;
    await expect.poll(async () => (await partOf('ticks'))?.ok).toBe(false);
    const text = await call('GET', '/readyz');
    expect([text.status, await text.text()]).toEqual([503, 'not ready']);
    expect((await partOf('ticks'))?.detail).toMatch(
      /^the tick bot failed \d+ times since 20.*Z: INTERNAL: Maximum call stack size exceeded$/,
    );
    broken = false;
    await expect.poll(async () => (await partOf('ticks'))?.ok, { timeout: 20_000 }).toBe(true);
  });
});

/** Mounts a file system of 2 MiB, where that is allowed. */
const mountSmall = (): string | undefined => {
  const path = mkdtempSync(join(tmpdir(), 'drover-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'ignore' });
    return path;
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
};
const unmount = (path: string): void => {
  execFileSync('umount', ['-l', path]);
  rmSync(path, { recursive: true });
};
const probe = mountSmall();
if (probe !== undefined) unmount(probe);

describe.skipIf(probe === undefined)('a full disk', () => {
  it('case E19: under the data folder leaves unknown what could not be recorded, and drover not ready', async () => {
    const small = mountSmall() ?? '';
    cleanUp.push(() => {
      unmount(small);
    });
    api = await openApp(undefined, { dataDir: join(small, 'data'), resyncIntervalMs: 200 });
    cleanUp.push(() => api.close());
    await call('PUT', '/v1/bots/early', aDocument('early'));
    await expect.poll(async () => (await shown('early')).status).toBe('running');
    expect(await partOf('data-folder')).toMatchObject({ ok: true });
    const ballast = join(small, 'ballast');
    const fill = (): void => {
      for (let size = 65_536; size >= 1; size /= 2) {
        try {
          for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
        } catch {
          // It is full for pieces of this size.
        }
      }
    };
    fill();
    // What ends meanwhile cannot be recorded.
    await api.world.hands.exit('early', 1);
    await expect.poll(async () => (await shown('early')).status).toBe('unknown');
    const bot = await shown('early');
    expect(readyOf(bot)).toMatchObject({ status: 'Unknown', reason: 'StoreUnavailable' });
    expect(readyOf(bot)?.message).toMatch(/full/);
    const put = await call('PUT', '/v1/bots/late', aDocument('late', { big: 'x'.repeat(100_000) }));
    expect(put.status).toBe(503);
    expect(await put.json()).toMatchObject({ error: { code: 'STORE_UNAVAILABLE' } });
    await expect.poll(async () => (await partOf('data-folder'))?.ok).toBe(false);
    expect((await partOf('data-folder'))?.detail).toMatch(/nothing can be written in .*ENOSPC/);
    expect(await ready()).toMatchObject({ ready: false });
    rmSync(ballast);
    await expect.poll(async () => (await shown('early')).status, { timeout: 20_000 }).not.toBe('unknown');
    await expect.poll(async () => (await ready()).ready, { timeout: 20_000 }).toBe(true);
  });
});
