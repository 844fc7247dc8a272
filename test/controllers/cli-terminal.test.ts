/** Nothing that a bot, a document or a sender wrote drives the terminal of the person who reads it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../src/cli/api-client.ts';
import { createProgram } from '../../src/cli/program.ts';
import { forTerminal, printable } from '../../src/domain/printable.ts';

/** Title, cursor, colour, 8-bit control, line breaks, and a text that is read backwards. */
const EVIL = 'x\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u009b1A\r\n\u202etxt.exe\u2028\u007f';
// eslint-disable-next-line no-control-regex -- what must not come out
const DANGEROUS = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
// eslint-disable-next-line no-control-regex -- escapes that are no colour of ours
const FOREIGN = /\u001b(?!\[(?:0|1|2|22|3[0-9]|9[0-7])m)/;

const condition = { type: 'Ready', status: 'True', reason: EVIL, message: EVIL, lastTransitionTime: 1 };
const bot = {
  botId: EVIL,
  state: EVIL,
  status: EVIL,
  restarts: 0,
  generation: 1,
  observedGeneration: 1,
  containerId: EVIL,
  attempt: 1,
  wanted: true,
  unsynced: false,
  runtime: EVIL,
  specVersion: EVIL,
  lastExit: { exitCode: 1, class: EVIL, at: 1 },
  conditions: [condition],
  document: { [EVIL]: EVIL },
};
const run = {
  key: EVIL,
  slot: 1,
  dueAt: 1,
  status: EVIL,
  outcome: EVIL,
  startedAt: 1,
  endedAt: 2,
  begunAt: 1,
  tries: [],
};
const schedule = {
  scheduleId: EVIL,
  state: EVIL,
  schedule: EVIL,
  specVersion: EVIL,
  runtime: EVIL,
  going: 0,
  waiting: 0,
  nextAt: 1,
  lastRun: { key: EVIL, outcome: EVIL, endedAt: 1 },
  runs: [run],
  listed: { succeeded: 0, failed: 0 },
  conditions: [{ ...condition, type: 'ScheduleHealthy' }],
  meaning: { [EVIL]: EVIL },
  next: [EVIL],
  policy: { [EVIL]: EVIL },
};
const letter = {
  subject: EVIL,
  at: 1,
  reason: EVIL,
  size: 1,
  data: Buffer.from(EVIL).toString('base64'),
  position: { stream: EVIL, sequence: 1 },
};
const ANSWERS: readonly (readonly [RegExp, unknown])[] = [
  [/^\/v1\/bots$/, [bot]],
  [
    /^\/v1\/bots\/[^/]+\/state/,
    { snapshots: [{ attempt: 1, sequence: 1, kind: EVIL, size: 1, files: 1, createdAt: EVIL }] },
  ],
  [/^\/v1\/bots\/[^/]+\/query\//, { status: 'ok', data: EVIL, [EVIL]: 1 }],
  [/^\/v1\/bots\/broken/, { error: { code: 'DOCUMENT_INVALID', message: EVIL } }],
  [/^\/v1\/bots\//, bot],
  [/^\/v1\/schedules\/preview/, { times: [{ scheduleId: EVIL, slot: 1, dueAt: 1 }], more: false }],
  [/^\/v1\/schedules$/, [schedule]],
  [/^\/v1\/schedules\/[^/]+\/runs/, { runs: [], passed: [] }],
  [/^\/v1\/schedules\//, schedule],
  [/^\/v1\/dead-letters/, [letter]],
  [
    /^\/v1\/takeover/,
    {
      ours: [{ botId: EVIL, container: EVIL, name: EVIL, createdAt: 1 }],
      strangers: [],
      installs: [{ botId: EVIL, container: EVIL, name: EVIL, createdAt: 1, install: EVIL }],
    },
  ],
  [/^\/v1\/orphans/, [{ id: EVIL, container: EVIL, status: EVIL, since: 1 }]],
  [/^\/v1\/confirm-removal/, { confirmed: [EVIL] }],
];

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = ANSWERS.find(([path]) => path.test((request.url ?? '').replace(/\?.*/, '')))?.[1] ?? {};
    const status = request.url?.includes('broken') === true ? 422 : 200;
    response.writeHead(status, { 'x-drover': '1', 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const drover = async (...args: string[]): Promise<string> => {
  const lines: string[] = [];
  const program = createProgram({
    out: (text) => lines.push(text),
    isTerminal: true,
    client: () => createApiClient({ url, token: undefined, actor: 'cli:test' }),
    env: {},
    signal: new AbortController().signal,
  });
  await program.parseAsync(['node', 'drover', ...args]);
  return lines.join('\n');
};

describe('what others wrote', () => {
  it.each([
    [['get']],
    [['get', 'one']],
    [['state', 'one']],
    [['schedules']],
    [['schedules', 'one']],
    [['preview']],
    [['dead-letters']],
    [['takeover', '--dry-run']],
    [['orphans']],
    [['confirm-removal']],
  ])('case E14: is cleaned in the output of %j, to a terminal or not', async (args) => {
    const text = await drover(...args);
    expect(text).toMatch(/owned|txt\.exe/);
    expect(text).not.toMatch(DANGEROUS);
    expect(text).not.toMatch(FOREIGN);
    // A colour of the bot's own is none of ours.
    expect(text).not.toContain('\u001b[31mred');
  });

  it.each([[['get', '-o', 'json']], [['dead-letters', '-o', 'json']], [['query', 'one', '/x']]])(
    'case E14: stays the same JSON in the output of %j, which a terminal is not driven by',
    async (args) => {
      const text = await drover(...args);
      expect(JSON.stringify(JSON.parse(text))).toContain(JSON.stringify(EVIL));
      const shown = forTerminal(text);
      expect(shown).not.toMatch(DANGEROUS);
      expect(shown).not.toMatch(FOREIGN);
      expect(JSON.parse(shown)).toEqual(JSON.parse(text));
    },
  );

  it('case E14: keeps colours of ours, line breaks and tabs on a terminal, and nothing else', () => {
    const ours = '\u001b[2mname\u001b[22m\tvalue\n\u001b[32mgood\u001b[39m';
    expect(forTerminal(ours)).toBe(ours);
    expect(forTerminal('a\u001b[2Jb\u009bc\u202ed')).toBe('a\\u001b[2Jb\\u009bc\\u202ed');
    expect(printable('größe 漢字 🙂 a-b')).toBe('größe 漢字 🙂 a-b');
  });
});
