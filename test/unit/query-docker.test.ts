/** What the engine is asked to make for queries, and how its streams are read: pure. */
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOptions } from '../../src/adapters/docker/create-options.ts';
import { placeOf } from '../../src/adapters/docker/query-endpoint.ts';
import { queryOptions } from '../../src/adapters/docker/query-options.ts';
import { isLeftover } from '../../src/adapters/docker/query-sweep.ts';
import { NotBegun } from '../../src/domain/query.ts';
import { createTalk, type AttachStream } from '../../src/adapters/docker/query-talk.ts';
import { hasLocalAddress } from '../../src/adapters/docker/seen-process.ts';
import { createLastBytes, createSplitter } from '../../src/adapters/docker/split-streams.ts';
import { readPolicy } from '../../src/adapters/minio/bot-policy.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { botIdFault, botOfContainerName, codeToolName, encodeId, queryName } from '../../src/domain/naming.ts';
import {
  encodeData,
  encodeWord,
  MAX_SAID_BYTES,
  type QueryOrder,
  type QueryWord,
} from '../../src/domain/query-frames.ts';
import { aSpec } from '../support/given.ts';

const LEGAL = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const piece = (stream: number, content: string | Buffer): Buffer => {
  const payload = Buffer.from(content as string);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};

describe('the attach stream', () => {
  const all = Buffer.concat([piece(1, 'out'), piece(2, 'err'), piece(1, ''), piece(1, 'put'), piece(2, '!')]);
  it('is parted whatever it is cut at', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: all.length }), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), all.length];
        let out = '';
        let err = '';
        const split = createSplitter({
          onStdout: (bytes) => (out += bytes.toString()),
          onStderr: (bytes) => (err += bytes.toString()),
        });
        for (let n = 1; n < at.length; n += 1) split(all.subarray(at[n - 1], at[n]));
        expect([out, err]).toEqual(['output', 'err!']);
      }),
    );
  });
  it('hands on pieces of a large one as they come', () => {
    const sizes: number[] = [];
    const split = createSplitter({ onStdout: ({ length }) => sizes.push(length), onStderr: () => undefined });
    const large = piece(1, Buffer.alloc(1_000_000));
    for (let at = 0; at < large.length; at += 65_536) split(large.subarray(at, at + 65_536));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_000_000);
  });
  it('that is none is refused', () => {
    const split = createSplitter({ onStdout: () => undefined, onStderr: () => undefined });
    expect(() => {
      split(Buffer.from('HTTP/1.1 200 OK\r\n'));
    }).toThrow('not an output stream');
  });
  it('keeps the last of what was complained about', () => {
    const last = createLastBytes(4);
    for (const text of ['abc', 'defghij', 'k']) last.add(Buffer.from(text));
    expect(last.text()).toBe('hijk');
  });
  it('keeps it however it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 12 })), (pieces) => {
        const last = createLastBytes(5);
        for (const text of pieces) last.add(Buffer.from(text));
        expect(last.text()).toBe(Buffer.from(pieces.join('')).subarray(-5).toString().trim());
      }),
    );
  });
});

describe('the conversation', () => {
  const PREPARE: QueryOrder = { kind: 'prepare', config: {}, state: { kind: 'newest' }, maxReplyBytes: 1_000 };
  const CALL = { path: '/p', params: {}, timeoutMs: 1_000 };
  const never = new AbortController().signal;
  /** A container's end: what it heard, and a way to speak. */
  const talking = () => {
    const heard: Buffer[] = [];
    const stream = new Duplex({
      read: () => undefined,
      write(bytes: Buffer, _encoding, done) {
        heard.push(bytes);
        done();
      },
    });
    const talk = createTalk(stream as AttachStream, PREPARE, {
      none: ({ output }) => Promise.resolve(new DroverError('QUERY_NO_RESULT', output)),
      ended: (complaints) => Promise.resolve(new DroverError('QUERY_REPLY_INVALID', `ended: ${complaints}`)),
    });
    const say = (...words: (QueryWord | Buffer)[]): void => {
      for (const word of words) stream.push(piece(1, Buffer.isBuffer(word) ? word : encodeWord(word)));
    };
    return { talk, stream, say, heard: () => Buffer.concat(heard).toString() };
  };
  const word = (what: unknown): Buffer => encodeWord(what as QueryWord);
  const failed = (code: string): QueryWord => ({ kind: 'failed', code, detail: 'why' });
  const reply = (id: number, bytes: number): QueryWord => ({ kind: 'reply', id, exitCode: 0, bytes });

  it('asks before it is ready, and gets the whole reply', async () => {
    const { talk, say, heard } = talking();
    const answer = talk.ask(CALL, never);
    expect(heard()).toMatch(/prepare.*\/p/s);
    say(
      { kind: 'ready', state: 'volume' },
      reply(1, 6),
      encodeData(Buffer.from('abc')),
      encodeData(Buffer.from('def')),
    );
    const { body, ...rest } = await answer;
    say({ kind: 'end', id: 1 });
    expect(rest).toEqual({ exitCode: 0, bytes: 6, state: 'volume' });
    expect((await buffer(body)).toString()).toBe('abcdef');
    const second = talk.ask(CALL, never);
    say(reply(2, 0), { kind: 'end', id: 2 });
    expect((await buffer((await second).body)).length).toBe(0);
  });
  it('says of a query that was cut off whether it had begun', async () => {
    const before = talking();
    const unheard = before.talk.ask(CALL, never);
    before.say({ kind: 'ready', state: 'none' });
    before.stream.push(null);
    await expect(unheard).rejects.toBeInstanceOf(NotBegun);
    await expect(before.talk.ask(CALL, never)).rejects.toBeInstanceOf(NotBegun);
    const after = talking();
    const begun = after.talk.ask(CALL, never);
    after.say({ kind: 'ready', state: 'none' }, { kind: 'begun', id: 1 });
    after.stream.push(null);
    await expect(begun).rejects.toMatchObject({ code: 'QUERY_REPLY_INVALID' });
    await expect(begun).rejects.not.toBeInstanceOf(NotBegun);
  });
  it('tells why there is no result, and goes on', async () => {
    const { talk, say } = talking();
    const first = talk.ask(CALL, never);
    say({ kind: 'ready', state: 'none' }, { kind: 'none', id: 1, exitCode: 3, output: 'oh' });
    await expect(first).rejects.toMatchObject({ code: 'QUERY_NO_RESULT', message: 'oh' });
    const second = talk.ask(CALL, never);
    say(reply(2, 1), encodeData(Buffer.from('x')), { kind: 'end', id: 2 });
    expect((await buffer((await second).body)).toString()).toBe('x');
    expect(talk.ended.aborted).toBe(false);
  });
  it.each([
    ['ARCHIVE_CORRUPT', 'ARCHIVE_CORRUPT'],
    ['NEVER_HEARD_OF', 'INTERNAL'],
  ])('that failed with %s is over', async (said, code) => {
    const { talk, say } = talking();
    const first = talk.ask(CALL, never);
    say(failed(said));
    await expect(first).rejects.toMatchObject({ code, message: 'why' });
    expect(talk.ended.aborted).toBe(true);
    await expect(talk.ask(CALL, never)).rejects.toMatchObject({ code });
  });
  it.each<[string, (QueryWord | Buffer)[]]>([
    ['no frames', [Buffer.from('Usage: runtime [options]\n')]],
    ['no JSON', [Buffer.from([0, 0, 0, 1, 1, 0x7b])]],
    ['data that nobody asked for', [encodeData(Buffer.from('x'))]],
    ['more than it said', [{ kind: 'ready', state: 'none' }, reply(1, 1), encodeData(Buffer.from('xx'))]],
    ['less than it said', [{ kind: 'ready', state: 'none' }, reply(1, 2), { kind: 'end', id: 1 }]],
    ['another reply', [{ kind: 'ready', state: 'none' }, reply(7, 1)]],
    ['a state that is none', [{ kind: 'ready', state: 'volume\nx' }, reply(1, 0)]],
    ['a state that is no text', [word({ kind: 'ready', state: 7 })]],
    ['a second readiness', [...Array<QueryWord>(2).fill({ kind: 'ready', state: 'a3/s7' }), reply(1, 0)]],
    ['a length below none', [{ kind: 'ready', state: 'none' }, reply(1, -1)]],
    ['a length that is no number', [{ kind: 'ready', state: 'none' }, word({ ...reply(1, 0), bytes: '5' })]],
    ['half a byte', [{ kind: 'ready', state: 'none' }, reply(1, 0.5)]],
    ['more than can be counted', [{ kind: 'ready', state: 'none' }, reply(1, 2 ** 60)]],
    ['no exit code', [{ kind: 'ready', state: 'none' }, word({ kind: 'reply', id: 1, bytes: 0 })]],
    ['no result and no words', [{ kind: 'ready', state: 'none' }, word({ kind: 'none', id: 1, exitCode: 0 })]],
    ['a kind of everything', [word({ kind: 'toString' })]],
    ['a word that is none', [word(['ready'])]],
    ['a failure that anybody may have said', [{ kind: 'ready', state: 'none' }, failed('STATE_UNSETTLED')]],
    ['a failure without words', [word({ kind: 'failed', code: 'INTERNAL' })]],
    ['a frame that is too large', [{ kind: 'ready', state: 'none' }, encodeData(Buffer.alloc(MAX_SAID_BYTES + 1))]],
  ])('with %s is no reply', async (_what, words) => {
    const { talk, say } = talking();
    const answer = talk.ask(CALL, never).then(({ body }) => buffer(body));
    say(...words);
    await expect(answer).rejects.toMatchObject({ code: 'QUERY_REPLY_INVALID' });
    expect(talk.ended.aborted).toBe(true);
  });
  it('that breaks off midway breaks off the body, with the last complaints', async () => {
    const { talk, say, stream } = talking();
    const answer = talk.ask(CALL, never);
    stream.push(piece(2, 'Killed'));
    say({ kind: 'ready', state: 'none' }, reply(1, 10), encodeData(Buffer.from('abc')));
    const { body } = await answer;
    stream.push(null);
    await expect(buffer(body)).rejects.toMatchObject({ code: 'QUERY_REPLY_INVALID', message: 'ended: Killed' });
  });
  it('stops the container while its reply is not read', async () => {
    const { talk, say, stream } = talking();
    const answer = talk.ask(CALL, never);
    const part = Buffer.alloc(10_000);
    say({ kind: 'ready', state: 'none' }, reply(1, 100 * part.length), ...Array<Buffer>(100).fill(encodeData(part)));
    const { body } = await answer;
    await expect.poll(() => stream.isPaused()).toBe(true);
    expect(body.readableLength).toBeLessThan(50_000);
    say({ kind: 'end', id: 1 });
    expect((await buffer(body)).length).toBe(1_000_000);
  });
  it('given up tells its reason, and lets pass what comes', async () => {
    const { talk, say, stream } = talking();
    const abort = new AbortController();
    const reason = new DroverError('QUERY_TIMEOUT', 'late');
    const answer = talk.ask(CALL, abort.signal);
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
    say(
      { kind: 'ready', state: 'none' },
      reply(1, 200_000),
      ...Array<Buffer>(20).fill(encodeData(Buffer.alloc(10_000))),
    );
    // All of it was taken.
    await expect.poll(() => stream.readableLength).toBe(0);
    expect(stream.isPaused()).toBe(false);
    await expect(talk.ask(CALL, abort.signal)).rejects.toBe(reason);
  });
});

describe('a query container', () => {
  const spec = aSpec({ id: 'größe', entrypoints: { bot: 'main.js', query: 'query.js' }, config: { secret: 'k' } });
  const plan = {
    spec,
    specHash: 'h',
    incarnation: 2,
    of: 'bot',
    digest: 'd'.repeat(64),
    maxReplyBytes: 3_000_000,
  } as const;
  const settings = { install: 'i1', network: 'n', hostGateway: false, image: 'i', env: { MORE: '1' }, owner: 'me' };
  it('is made as the contract says, without secrets', () => {
    const options = queryOptions(plan, settings, { name: 'x', mounts: [] });
    expect(options.Env).toEqual(
      expect.arrayContaining([
        'BOT_ID=größe',
        'ENTRYPOINT=query.js',
        'QUERY_ENTRYPOINT=query.js',
        'ENTRYPOINT_TYPE=query',
        'BOT_TYPE=scheduled',
        'IS_SCHEDULED=true',
        'STATE_DIR=/state/.the0-state',
        'MORE=1',
      ]),
    );
    expect(JSON.stringify(options)).not.toMatch(/secret|BOT_CONFIG|"CONFIG=|QUERY_PATH/);
    expect(options.Labels).toMatchObject({
      'runtime.managed': 'true',
      'runtime.id': 'größe',
      'runtime.entrypoint': 'query.js',
      'runtime.type': 'scheduled',
      'drover.install': 'i1',
      'drover.role': 'query',
      'drover.query-owner': 'me',
    });
    expect(options).toMatchObject({ OpenStdin: true, StdinOnce: true, Tty: false, StopTimeout: 1 });
    expect(options.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      AutoRemove: false,
      LogConfig: { Type: 'none' },
      Memory: 512 * 1024 ** 2,
      RestartPolicy: { Name: 'no' },
    });
    // 3,000,000 bytes are less than 3 MiB; one more for what is written beside them.
    expect(options.HostConfig?.Tmpfs?.['/query']).toContain(`size=${String(4 * 1024 ** 2)}`);
  });
  it('has a name of its own that is legal and fits', () => {
    const id = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 128 })
      .filter((text) => botIdFault(text) === undefined);
    fc.assert(
      fc.property(id, (botId) => {
        const name = queryName('i1234567', botId, '0123456789ab');
        expect(name).toMatch(LEGAL);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(name.startsWith(`drover-i1234567-query-${encodeId(botId).slice(0, 100)}`)).toBe(true);
        expect(name.endsWith('-0123456789ab')).toBe(true);
        expect(botOfContainerName('i1234567', name)).toBeUndefined();
      }),
    );
  });
  it('fills the code cache under a name that no other process has', () => {
    const digest = 'a'.repeat(64);
    expect(codeToolName('i', digest, 'bot', 'r1')).toBe(codeToolName('i', digest, 'bot', 'r2'));
    expect(codeToolName('i', digest, 'query', 'r1')).not.toBe(codeToolName('i', digest, 'query', 'r2'));
  });
  it('is swept only when nobody can speak to it', () => {
    const now = 1_000_000_000;
    const of = (state: string, ageS: number, owner: string, role = 'query') => ({
      Names: ['/n'],
      State: state,
      Created: now / 1_000 - ageS,
      Labels: { 'drover.role': role, 'drover.query-owner': owner },
    });
    const left = (listed: ReturnType<typeof of>, mine: string[] = []): boolean =>
      isLeftover(listed, { owner: 'me', mine: new Set(mine), now });
    expect([left(of('running', 9_999, 'other')), left(of('paused', 9_999, 'other'))]).toEqual([false, false]);
    expect([left(of('exited', 1, 'other')), left(of('dead', 1, 'other'))]).toEqual([true, true]);
    expect([left(of('created', 30, 'other')), left(of('created', 61, 'other'))]).toEqual([false, true]);
    expect([left(of('running', 1, 'me'), ['n']), left(of('running', 1, 'me'))]).toEqual([false, true]);
    expect([left(of('exited', 60, '', 'query-tool')), left(of('created', 9_999, '', 'query-tool'))]).toEqual([
      false,
      true,
    ]);
    expect(['bot', 'run', 'tool'].some((role) => left(of('exited', 9_999, 'other', role)))).toBe(false);
  });
  it('has keys that read states and nothing else', () => {
    const policy = readPolicy('b', { state: 's' });
    expect(policy).not.toMatch(/Put|Delete|logs/);
    expect(policy).toContain('arn:aws:s3:::s/b/*');
  });
});

describe('the query port of a bot', () => {
  const settings = { install: 'i', network: 'n', hostGateway: false, configInEnv: false };
  const facts = { codeDigest: 'd', embedded: true };
  const entrypoints = { bot: 'main.js', query: 'query.js' };
  const plan = { spec: aSpec({ entrypoints }), specHash: 'h', incarnation: 1, generation: 1, attempt: 1 };
  const run = { key: 'k', incarnation: 1, scheduledAt: 0, writes: true, attempt: 1 };
  it('is published on loopback only where that is asked for', () => {
    const asked = createOptions(plan, { ...settings, publishQueries: true }, facts);
    expect(asked.ExposedPorts).toEqual({ '9476/tcp': {} });
    expect(asked.HostConfig?.PortBindings).toEqual({ '9476/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] });
    const others = [
      createOptions(plan, settings, facts),
      createOptions({ ...plan, spec: aSpec() }, { ...settings, publishQueries: true }, facts),
      createOptions({ ...plan, run }, { ...settings, publishQueries: true }, facts),
    ];
    for (const options of others) expect(JSON.stringify(options)).not.toMatch(/9476/);
    const labels = createOptions(plan, settings, facts).Labels;
    expect(asked.Labels).toEqual(labels);
  });
  it('is found at the address, or at the published port', () => {
    const info = (ports: object, ip: string, networks: object) =>
      ({ NetworkSettings: { Ports: ports, IPAddress: ip, Networks: networks } }) as unknown as Parameters<
        typeof placeOf
      >[0];
    const bound = { '9476/tcp': [{ HostIp: '127.0.0.1', HostPort: '40000' }] };
    const network = { a: { IPAddress: '' }, b: { IPAddress: '10.0.0.2' } };
    const at = (host: string) => ({ via: 'address', host, port: 9476 });
    expect(placeOf(info({}, '172.17.0.2', network), 'auto')).toEqual(at('172.17.0.2'));
    expect(placeOf(info({ '9476/tcp': null }, '', network), 'published')).toEqual(at('10.0.0.2'));
    expect(placeOf(info(bound, '', network), 'address')).toEqual(at('10.0.0.2'));
    expect(placeOf(info(bound, '', network), 'auto')).toEqual({ via: 'published', host: '127.0.0.1', port: 40_000 });
    expect(placeOf(info({}, '', {}), 'auto')).toBeUndefined();
  });
  it('is bound to addresses that are the container’s own', () => {
    const trie = `Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     +-- 172.17.0.0/16 2 0 2
        |-- 172.17.0.0
           /16 link UNICAST
        |-- 172.17.0.2
           /32 host LOCAL
        |-- 172.17.255.255
           /32 link BROADCAST
`;
    expect(hasLocalAddress(trie, '172.17.0.2')).toBe(true);
    expect(
      ['172.17.0.0', '172.17.255.255', '172.17.0.22', '7.0.0.1', '1.1.1.1'].map((ip) => hasLocalAddress(trie, ip)),
    ).toEqual([false, false, false, false, false]);
  });
});
