/** `runtime query`: what answers inside an ephemeral query container (features F2, F9), in containers that no controller made. */
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFrameParser, encodeWord, type QueryOrder } from '../../src/domain/query-frames.ts';
import { createHands, FOLDER_ACCESS } from '../support/hand-run.ts';
import { createQueryRuns, type Answer, type QueryRun, type QueryRunOptions } from '../support/query-run.ts';

const runs = createQueryRuns();
const hands = createHands();
afterAll(async () => {
  await hands.end();
  await runs.end();
});

const write = (data: string): string => `require('fs').writeFileSync('/query/result.json', ${data});`;
const said = ({ body }: Answer): unknown => JSON.parse(body?.toString() ?? '');

/** All that could tell a program how it was started. Files are counted before there is a worker, whose own close when it likes. */
const NODE_PROBE = `
const fs = require('fs'), { Worker } = require('worker_threads');
const files = fs.readdirSync('/proc/self/fd').length;
const inWorker = new Worker("const { parentPort } = require('worker_threads'); parentPort.postMessage({ execArgv: process.execArgv, env: process.env, cache: Object.keys(require.cache) })", { eval: true });
inWorker.once('message', (worker) => {
  const child = require('child_process').execFileSync(process.execPath, ['-p', 'JSON.stringify([process.execArgv, Object.entries(process.env).sort()])'], { encoding: 'utf8' });
  fs.writeFileSync('/query/result.json', JSON.stringify({
    argv: process.argv, argv0: process.argv0, execArgv: process.execArgv, title: process.title, cwd: process.cwd(), env: Object.entries(process.env).sort(),
    main: require.main === module, id: module.id, parent: module.parent, paths: module.paths, filename: __filename,
    cache: Object.keys(require.cache), resolved: Object.keys(module.constructor._pathCache), line: fs.readFileSync('/proc/self/cmdline', 'latin1'),
    files, stdin: fs.readlinkSync('/proc/self/fd/0'), worker: { ...worker, env: Object.entries(worker.env).sort() }, child: JSON.parse(child),
  }));
});`;
const ESM_PROBE = `
import fs from 'node:fs';
import { own } from './own.mjs';
fs.writeFileSync('/query/result.json', JSON.stringify({ url: import.meta.url, own, argv: process.argv, execArgv: process.execArgv, env: Object.entries(process.env).sort() }));`;
const PYTHON_PROBE = `
import json, os, sys, own
files = os.listdir('/proc/self/fd')
seen = dict(argv=sys.argv, orig=sys.orig_argv, path=sys.path, flags=str(sys.flags), modules=list(sys.modules), importers=sorted(sys.path_importer_cache),
  name=__name__, file=__file__, spec=str(__spec__), names=sorted(globals()), site=sys.modules['sitecustomize'].__file__, own=own.VALUE,
  env=sorted(os.environ.items()), same=os.environ.get('QUERY_PATH') == os.getenv('QUERY_PATH') == os.popen('echo $QUERY_PATH').read().strip(),
  files=files, cwd=os.getcwd())
json.dump(seen, open('/query/result.json', 'w'))
raise ValueError('as usual')
`;

describe('a program whose interpreter waited for its query', () => {
  const OWN = { 'own.py': 'VALUE = 3', 'own.mjs': 'export const own = 3;' };
  const cases: [string, QueryRunOptions][] = [
    ['CommonJS', { code: { 'query.js': NODE_PROBE }, entrypoint: 'query.js' }],
    ['with an extension left out', { code: { 'query.js': NODE_PROBE }, entrypoint: 'query' }],
    [
      'with options for Node',
      { code: { 'q.js': NODE_PROBE }, entrypoint: 'q.js', env: { NODE_OPTIONS: '--no-deprecation' } },
    ],
    ['an ES module', { code: { 'query.mjs': ESM_PROBE, ...OWN }, entrypoint: 'query.mjs' }],
    [
      'an ES module by its package',
      {
        code: { 'src/query.js': ESM_PROBE, 'src/own.mjs': OWN['own.mjs'], 'package.json': '{"type":"module"}' },
        entrypoint: 'src/query.js',
      },
    ],
    ['Python', { code: { 'query.py': PYTHON_PROBE, ...OWN }, entrypoint: 'query.py', runtime: 'python3.11' }],
    [
      'Python with a sitecustomize of its own',
      {
        code: { 'sub/query.py': PYTHON_PROBE, ...OWN, 'vendor/sitecustomize.py': 'import decimal' },
        entrypoint: 'sub/query.py',
        runtime: 'python3.11',
        env: { PYTHONPATH: '/somewhere/else' },
      },
    ],
  ];
  const state = runs.name();
  // Else `runtime execute` looks into the archive store.
  beforeAll(() => runs.fill(state, { x: '' }));

  it.each(cases)('F2: cannot tell it from one that was started for it, %s', async (_name, options) => {
    const [params, hostname] = [{ symbol: 'BTC', n: 2, deep: { a: [1] } }, 'same'];
    const volumes = { [state]: '/state:ro' };
    const same = { ...options, volumes, config: { secret: 'ü"' }, env: { ...options.env, HOSTNAME: hostname } };
    const cold = await runs.runCold(same, '/portfolio', params);
    const run = await runs.run(same);
    expect(await run.next()).toEqual({ kind: 'ready', state: 'volume' });
    const first = await run.ask('/portfolio', { params });
    const second = await run.ask('/portfolio', { params });
    const third = await run.ask('/other');
    run.letGo();
    const seen = cold.printed.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(seen)).toMatchObject({
      env: expect.arrayContaining([['QUERY_PARAM_deep', '{"a":[1]}']]) as unknown,
    });
    expect(said(first)).toEqual(JSON.parse(seen));
    expect(first.body?.toString()).toBe(seen);
    expect(second.body?.toString()).toBe(seen);
    expect(JSON.stringify(said(third))).not.toContain('BTC');
    expect([first, second]).toMatchObject([{ exitCode: cold.exitCode }, { exitCode: cold.exitCode }]);
    if (options.runtime === 'python3.11') {
      const trace = cold.complained.slice(cold.complained.indexOf('Traceback'));
      expect(trace).toContain('ValueError: as usual');
      expect(run.complaints()).toContain(trace.trim());
    }
  });
});

describe('the end of a query', () => {
  const CODE = `
const fs = require('fs'), path = process.env.QUERY_PATH, params = JSON.parse(process.env.QUERY_PARAMS);
const result = (value) => fs.writeFileSync('/query/result.json', JSON.stringify(value));
switch (path) {
  case '/fails': result({ status: 'error', error: 'no' }); process.exit(1);
  case '/silent': console.log('last words'); console.error('ü'.repeat(4000) + ' end'); process.exit(3);
  case '/killed': process.kill(process.pid, 'SIGKILL'); break;
  case '/large': fs.writeFileSync('/query/result.json', Buffer.alloc(params.bytes, 'x')); break;
  case '/link': fs.symlinkSync('/etc/hostname', '/query/result.json'); break;
  case '/pipe': require('child_process').execFileSync('mkfifo', ['/query/result.json']); break;
  case '/hangs': result({ too: 'early' }); console.log('waits'); setInterval(() => {}, 1000); break;
  case '/blocks': for (;;);
  case '/noise': for (let i = 0; i < 2000; i += 1) fs.writeSync(1, 'x'.repeat(4096)); fs.appendFileSync('/dev/stdout', 'by its path'); fs.appendFileSync('/dev/stderr', 'by its path'); result({ done: true }); break;
  case '/params': result({ params, one: process.env.QUERY_PARAM_ok, names: Object.keys(process.env).filter((name) => name.startsWith('QUERY_PA')) }); break;
  default: result({ status: 'ok' });
}`;
  // One container for all: whatever a query was, the next one is none the worse.
  let run: QueryRun;
  beforeAll(async () => {
    run = await runs.run({ code: { 'query.js': CODE }, entrypoint: 'query.js', maxReplyBytes: 32 * 1024 ** 2 });
    await run.next();
  });
  afterAll(() => {
    run.letGo();
  });

  it('is told for each way it can end', async () => {
    const fails = await run.ask('/fails');
    expect(fails).toMatchObject({ kind: 'reply', exitCode: 1 });
    expect(said(fails)).toEqual({ status: 'error', error: 'no' });
    const silent = await run.ask('/silent');
    expect(silent).toMatchObject({ kind: 'none', exitCode: 3, output: expect.stringMatching(/^ü+ end\n$/) as unknown });
    expect(silent.kind === 'none' && Buffer.byteLength(silent.output)).toBeLessThanOrEqual(4 * 1024);
    expect(await run.ask('/killed')).toEqual({
      kind: 'none',
      id: expect.any(Number) as unknown,
      exitCode: 137,
      output: '',
    });
    expect(await run.ask('/large', { params: { bytes: 32 * 1024 ** 2 + 1 } })).toMatchObject({
      kind: 'none',
      tooLarge: true,
    });
    for (const path of ['/link', '/pipe']) expect(await run.ask(path)).toMatchObject({ kind: 'none', exitCode: 0 });
    expect(await run.ask('/')).toMatchObject({ kind: 'reply', exitCode: 0 });
  });
  it('comes at its deadline at the latest, with its last words', async () => {
    const late = { kind: 'none', timedOut: true, exitCode: 137 };
    expect(await run.ask('/blocks', { timeoutMs: 400 })).toMatchObject({ ...late, output: '' });
    // As much time as it takes here to come to its words.
    let timeoutMs = 200;
    const hangs = () => run.ask('/hangs', { timeoutMs: (timeoutMs *= 2) });
    await expect.poll(hangs).toMatchObject({ ...late, output: 'waits\n' });
    expect(await run.ask('/')).toMatchObject({ kind: 'reply' });
    expect(await run.ask('/', { timeoutMs: 0 })).toMatchObject({ kind: 'none', timedOut: true });
    expect(await run.ask('/')).toMatchObject({ kind: 'reply' });
  });
  it('may be a result of 20 MB', async () => {
    const bytes = 20 * 1024 ** 2;
    const { body } = await run.ask('/large', { params: { bytes } });
    expect(body?.equals(Buffer.alloc(bytes, 'x'))).toBe(true);
    expect(await run.ask('/')).toMatchObject({ kind: 'reply' });
  });
  it('is not held up by output that is more than anybody takes, nor is a frame torn by it', async () => {
    for (let i = 0; i < 3; i += 1) expect(said(await run.ask('/noise'))).toEqual({ done: true });
  });
  it('knows its parameters, but for names that no variable can have', async () => {
    const params = { ok: 'yes', '': 1, 'a=b': 2, 'x\0y': 3, nul: 'a\0b', 'with space': 'ü' };
    expect(said(await run.ask('/params', { params }))).toEqual({
      params,
      one: 'yes',
      names: ['QUERY_PATH', 'QUERY_PARAMS', 'QUERY_PARAM_ok', 'QUERY_PARAM_with space'],
    });
  });
});

describe('what one query leaves behind', () => {
  const CODE = `
const fs = require('fs'), { spawn, execFileSync } = require('child_process');
if (process.env.QUERY_PATH === '/litter') {
  for (const folder of ['/tmp', '/query', '/dev/shm']) { fs.mkdirSync(folder + '/locked/in', { recursive: true }); fs.writeFileSync(folder + '/locked/in/file', 'x'); fs.chmodSync(folder + '/locked', 0); fs.symlinkSync('/bot', folder + '/link'); }
  spawn('sh', ['-c', 'while :; do date > /query/late; sleep 0.01; done'], { detached: true, stdio: 'inherit' }).unref();
  execFileSync('sh', ['-c', 'setsid sh -c "exec sleep 1000" & setsid sh -c "setsid sleep 1001 & sleep 1002" &'], { stdio: 'inherit' });
  process.exit(0);
}
const others = fs.readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid)).map((pid) => { try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').replaceAll('\\0', ' ').trim(); } catch { return ''; } });
const seen = { files: ['/tmp', '/query', '/dev/shm'].flatMap((folder) => fs.readdirSync(folder)), others: others.filter((line) => /sleep|date|sh -c/.test(line)), code: fs.existsSync('/bot/query.js') };
${write('JSON.stringify(seen)')}`;

  it('is seen by no later one: neither processes nor files', async () => {
    const run = await runs.run({ code: { 'query.js': CODE }, entrypoint: 'query.js' });
    await run.next();
    for (let i = 0; i < 3; i += 1) {
      expect(await run.ask('/litter')).toMatchObject({ kind: 'none', exitCode: 0 });
      expect(said(await run.ask('/look'))).toEqual({ files: [], others: [], code: true });
    }
    run.letGo();
  });
  it('is answered even when it killed the interpreter that waits for the next one', async () => {
    const KILLER = `const fs = require('fs');
if (process.env.QUERY_PATH === '/kill') setTimeout(() => {
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name) && Number(name) !== process.pid)) {
    if (fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').includes('/bot/query.js')) process.kill(Number(pid), 'SIGKILL');
  }
  ${write("'1'")}
}, 200); else ${write("'2'")}`;
    const run = await runs.run({ code: { 'query.js': KILLER }, entrypoint: 'query.js' });
    await run.next();
    expect(said(await run.ask('/kill'))).toBe(1);
    expect(said(await run.ask('/next'))).toBe(2);
    run.letGo();
  });
});

describe('the conversation', () => {
  const options = { code: { 'query.js': write("'{}'") }, entrypoint: 'query.js' };
  const SLOW = { code: { 'query.js': 'setInterval(() => {}, 1000)' }, entrypoint: 'query.js' };
  /** Longer than a test may take. */
  const FOR_LONG: QueryOrder = { kind: 'ask', id: 1, path: '/', params: {}, timeoutMs: 3_600_000 };

  it.each([
    ['idle', options],
    ['in the middle of a query', SLOW],
  ])('ends the container when the controller lets go, before the time of the query, %s', async (_name, how) => {
    const run = await runs.run(how);
    await run.next();
    if (how === SLOW) run.say(FOR_LONG);
    run.letGo();
    expect(await run.ended()).toBe(0);
  });
  it('ends the container at once on SIGTERM', async () => {
    const run = await runs.run(SLOW);
    await run.next();
    run.say(FOR_LONG);
    await run.container.kill({ signal: 'SIGTERM' });
    expect(await run.ended()).toBe(0);
  });
  it('may have a query right behind the preparation, and several at once', async () => {
    const run = await runs.run({ ...options, silent: true });
    run.say(
      { kind: 'prepare', config: {}, state: { kind: 'volume' }, maxReplyBytes: 100 },
      { kind: 'ask', id: 7, path: '/', params: {}, timeoutMs: 120_000 },
      { kind: 'ask', id: 8, path: '/', params: {}, timeoutMs: 120_000 },
    );
    expect(await run.next()).toMatchObject({ kind: 'ready' });
    expect([await run.next(), await run.next()]).toMatchObject([{ id: 7 }, { id: 8 }]);
    run.letGo();
  });
  it.each([
    ['no frames', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a query before the preparation', encodeWord({ kind: 'ask', id: 1, path: '/', params: {}, timeoutMs: 1 })],
  ])('ends with a reason when it is %s', async (_name, bytes) => {
    const run = await runs.run({ ...options, silent: true });
    run.raw(bytes);
    expect(await run.next()).toMatchObject({ kind: 'failed', code: 'REQUEST_INVALID' });
    expect(await run.ended()).toBe(1);
  });
  it('into which a bot writes by a way of its own gives an error to whoever reads it, and no more', async () => {
    const code = { 'query.js': `require('fs').appendFileSync('/proc/1/fd/1', 'I am no frame'); ${write("'{}'")}` };
    const run = await runs.run({ code, entrypoint: 'query.js' });
    await run.next();
    const parse = createFrameParser();
    expect(() => parse(Buffer.from('I am no frame'))).toThrow('not a frame');
    await expect(run.ask('/')).rejects.toThrow('not a frame');
    run.letGo();
    expect(await run.ended()).toBe(0);
  });
  it.each<[string, Partial<QueryRunOptions>, string]>([
    ['there is no such file', { entrypoint: 'other.js' }, 'ENTRYPOINT_MISSING'],
    ['the image has no such runtime', { runtime: 'dotnet8', entrypoint: 'a.dll' }, 'RUNTIME_UNSUPPORTED'],
    ['the code is not in the cache', { env: { DROVER_CODE_SHA256: '0'.repeat(64) } }, 'CODE_NOT_CACHED'],
    [
      'the state cannot be reached',
      { state: { kind: 'newest' }, access: { kind: 'folder', path: '/nowhere' } },
      'STORAGE_UNAVAILABLE',
    ],
    ['nobody brought keys for it', { state: { kind: 'newest' } }, 'STORAGE_UNAVAILABLE'],
  ])('says why nothing can be asked when %s', async (_name, more, code) => {
    const run = await runs.run({ ...options, ...more });
    expect(await run.next()).toMatchObject({ kind: 'failed', code });
    expect(await run.ended()).toBe(1);
  });
});

describe('other runtimes', () => {
  it('run their program once a query', async () => {
    const program = `#!/bin/sh\nprintf '{"path":"%s","n":"%s","mode":"%s"}' "$QUERY_PATH" "$QUERY_PARAM_n" "$BOT_TYPE" > /query/result.json\nexit 4\n`;
    const run = await runs.run({ code: { query: program }, entrypoint: 'query', runtime: 'rust-stable' });
    await run.next();
    for (const n of ['1', '2']) {
      const answer = await run.ask('/p', { params: { n } });
      expect(answer).toMatchObject({ exitCode: 4 });
      expect(said(answer)).toEqual({ path: '/p', n, mode: 'scheduled' });
    }
    run.letGo();
  });
});

describe('the state that a query sees', () => {
  const LOOK = `const fs = require('fs'); const out = { files: fs.readdirSync('/state').sort() };
try { out.value = fs.readFileSync('/state/.the0-state/x.json', 'utf8'); } catch (error) { out.value = error.code; }
try { fs.writeFileSync('/state/.the0-state/x.json', 'changed'); } catch (error) { out.write = error.code; }
out.keys = fs.readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid)).some((pid) => { try { return /transfer|StoreAccess/.test(fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1')); } catch { return false; } });
out.env = JSON.stringify(process.env).includes('/archive');
${write('JSON.stringify(out)')}`;
  const options = { code: { 'query.js': LOOK }, entrypoint: 'query.js' };

  it('F2: is that of the volume, which it cannot change', async () => {
    const state = runs.name();
    await runs.fill(state, { '.the0-state/x.json': '41' });
    const run = await runs.run({ ...options, volumes: { [state]: '/state:ro' } });
    expect(await run.next()).toEqual({ kind: 'ready', state: 'volume' });
    expect(said(await run.ask('/'))).toMatchObject({ value: '41', write: 'EROFS' });
    run.letGo();
  });
  it('F2: is a copy too for `runtime execute`, which prints the result last and stores nothing', async () => {
    const store = runs.name();
    const tar = pack();
    tar.entry({ name: '.the0-state/x.json' }, '43');
    tar.finalize();
    const archive = gzipSync(await buffer(tar));
    await runs.fill(store, { 'state/state.tar.gz': archive });
    const run = await hands.run({
      args: ['execute', '--query', '/'],
      env: { BOT_ID: 'hand', RUNTIME: 'nodejs20', ENTRYPOINT: 'query.js', BOT_CONFIG: '{}', BOT_TYPE: 'scheduled' },
      volumes: { [store]: '/archive' },
      files: { ...FOLDER_ACCESS, '/bot/query.js': `process.stdout.write('a line without an end'); ${LOOK}` },
    });
    const { code, output } = await run.ended();
    expect(code).toBe(0);
    // The engine's log has a header of 8 bytes before each piece.
    expect(output).toMatch(/a line without an end[^]*"value":"43","write":"EACCES"[^\n]*}\n$/);
    const kept = await buffer(await run.container.getArchive({ path: '/archive/state' }));
    const names = new Set(kept.toString('latin1').match(/state\/[\w.-]+/g));
    expect([...names].sort()).toEqual(['state/state.tar.gz']);
    expect(kept.includes(archive)).toBe(true);
  });
  it('is not that of a volume on which a restore broke off', async () => {
    const state = runs.name();
    await runs.fill(state, { '.drover-restore/new/x': '' });
    const run = await runs.run({ ...options, volumes: { [state]: '/state:ro' } });
    expect(await run.next()).toMatchObject({ kind: 'failed', code: 'STATE_UNSETTLED' });
  });
  it('F2, F9: is a read-only copy of what the archive store has; the process with its keys is gone', async () => {
    const store = runs.name();
    await runs.fill(store, {});
    const access = { kind: 'folder', path: '/archive' } as const;
    const volumes = { [store]: '/archive:ro' };
    const none = await runs.run({ ...options, access, volumes, state: { kind: 'newest' } });
    expect(await none.next()).toEqual({ kind: 'ready', state: 'none' });
    expect(said(await none.ask('/'))).toMatchObject({
      files: [],
      value: 'ENOENT',
      write: 'ENOENT',
      keys: false,
      env: false,
    });
    none.letGo();
    const past = await runs.run({
      ...options,
      access,
      volumes,
      state: { kind: 'snapshot', snapshot: { attempt: 1, sequence: 1 } },
    });
    expect(await past.next()).toMatchObject({ kind: 'failed', code: 'SNAPSHOT_NOT_FOUND' });
    const tar = pack();
    tar.entry({ name: '.the0-state/x.json' }, '42');
    tar.finalize();
    await runs.fill(store, { 'state/state.tar.gz': gzipSync(await buffer(tar)) });
    const legacy = await runs.run({ ...options, access, volumes, state: { kind: 'newest' } });
    expect(await legacy.next()).toEqual({ kind: 'ready', state: 'archive' });
    for (let i = 0; i < 2; i += 1) {
      expect(said(await legacy.ask('/'))).toEqual({
        files: ['.the0-state'],
        value: '42',
        write: 'EACCES',
        keys: false,
        env: false,
      });
    }
    legacy.letGo();
    await runs.fill(store, { 'state/state.tar.gz': 'damaged' });
    const damaged = await runs.run({ ...options, access, volumes, state: { kind: 'newest' } });
    expect(await damaged.next(), 'R35').toMatchObject({ kind: 'failed', code: 'STATE_RESTORE_FAILED' });
  });
});
