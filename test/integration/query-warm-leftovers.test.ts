/** In a warm container no query sees the one before, whatever that did to be seen, or to be in the way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cases } from '../support/full.ts';
import { createQueryRuns, type Answer, type QueryRun, type QueryRunOptions } from '../support/query-run.ts';
import { startQuerySpine, type QuerySpine } from '../support/query-spine.ts';

const PLACES = ['/tmp', '/query', '/dev/shm', '/dev/mqueue', '/var/the0'];
const CODE = `
const fs = require('fs'), { execFileSync } = require('child_process');
const others = () => fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name) && Number(name) !== process.pid)
  .filter((pid) => { try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').includes('/bot/query.js'); } catch { return false; } });
const tell = (data) => fs.writeFileSync('/query/result.json', JSON.stringify({ status: 'ok', data }));
const acts = {
  '/look': () => ({
    files: ${JSON.stringify(PLACES)}.flatMap((place) => fs.readdirSync(place).map((name) => place + '/' + name)),
    state: fs.existsSync('/state/x'),
    shared: fs.readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\\n').length - 1,
  }),
  '/litter': () => { for (const place of ${JSON.stringify(PLACES)}) fs.writeFileSync(place + '/x', ''); },
  '/lock': () => { process.on('exit', () => { for (const place of ['/tmp', '/query', '/var/the0']) fs.chmodSync(place, 0); }); },
  '/unlock': () => { fs.chmodSync('/state', 0o755); fs.writeFileSync('/state/x', ''); fs.chmodSync('/state', 0o555); },
  '/share': () => execFileSync('ipcmk', ['-M', '4096']).toString(),
  '/stop': async () => {
    // The next one may not be there yet.
    for (let i = 0; others().length === 0 && i < 500; i += 1) await new Promise((go) => setTimeout(go, 10));
    for (const pid of others()) process.kill(Number(pid), 'SIGSTOP');
    return others().length;
  },
};
Promise.resolve(acts[process.env.QUERY_PATH]()).then((data) => tell(data ?? null));
`;
const CLEAN = { files: [], state: false, shared: 0 };

const runs = createQueryRuns();
afterAll(() => runs.end());

const said = ({ body }: Answer): unknown => (JSON.parse(body?.toString() ?? '{}') as { data?: unknown }).data;
const open = async (more: Partial<QueryRunOptions> = {}): Promise<QueryRun> => {
  const run = await runs.run({ code: { 'query.js': CODE }, entrypoint: 'query.js', ...more });
  expect(await run.next()).toMatchObject({ kind: 'ready' });
  return run;
};
/** One that reads a copy of the archive store's state. */
const openCopy = async (): Promise<QueryRun> => {
  const store = runs.name();
  await runs.fill(store, {});
  return open({
    state: { kind: 'newest' },
    access: { kind: 'folder', path: '/archive' },
    volumes: { [store]: '/archive:ro' },
  });
};

describe('after a query', () => {
  // One for all of those after which the container goes on.
  let run: QueryRun;
  beforeAll(async () => {
    run = await open();
  });
  afterAll(() => {
    run.letGo();
  });

  it('that left files wherever it could, and locked the places, the next one finds none', async () => {
    for (const path of ['/litter', '/look', '/litter']) await run.ask(path);
    expect(said(await run.ask('/look'))).toEqual(CLEAN);
    expect(await run.ask('/lock')).toMatchObject({ exitCode: 0 });
    expect(said(await run.ask('/look'))).toEqual(CLEAN);
  });
  it('that stopped the interpreter that waits for the next one, that one is answered all the same', async () => {
    expect(said(await run.ask('/stop'))).toBe(1);
    expect(said(await run.ask('/look'))).toEqual(CLEAN);
  });
  it('that no process can be told, the next one is answered', async () => {
    expect(await run.ask('/a\0b')).toMatchObject({
      kind: 'none',
      exitCode: 127,
      output: expect.stringContaining('NUL') as unknown,
    });
    expect(said(await run.ask('/look'))).toEqual(CLEAN);
  });
  it('that only read a copy of the state, the container goes on', async () => {
    const copy = await openCopy();
    for (let i = 0; i < 3; i += 1) expect(said(await copy.ask('/look'))).toEqual(CLEAN);
    copy.letGo();
  });
  it.each(['/unlock', '/share'])('%s, which cannot be undone, it is answered and the container ends', async (path) => {
    const copy = await openCopy();
    expect(await copy.ask(path)).toMatchObject({ kind: 'reply', exitCode: 0 });
    expect(await copy.next()).toMatchObject({ kind: 'failed' });
    expect(await copy.ended()).toBe(1);
  });
});

describe('whoever asks a bot that does not run', () => {
  let spine: QuerySpine;
  beforeAll(async () => {
    spine = await startQuerySpine();
    await spine.deployAsked('bot', { 'main.js': '', 'query.js': CODE }, { config: { enabled: false } });
  });
  afterAll(() => spine.end());
  it('sees nothing of the one before, and no error of what that did', async () => {
    for (const path of ['/litter', '/unlock', '/share', '/stop', '/unlock'].slice(0, cases(4, 5))) {
      expect(await spine.ask('bot', path)).toMatchObject({ status: 200 });
      expect(await spine.ask('bot', '/look')).toMatchObject({ status: 200, body: { data: CLEAN } });
    }
    expect(await spine.ask('bot', '/look')).toMatchObject({ way: 'warm' });
  });
});
