/** A configuration that no environment variable can hold, in real containers: the bot, its children, its queries, its stop hook. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { startQuerySpine, type QuerySpine } from '../support/query-spine.ts';

type Exit = Extract<BotEvent, { type: 'ContainerExited' }>;

const BIG = `${'Zürich · 東京 "quoted"\n'.repeat(6_000)}the end`;
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
const SUM = digest(BIG);

const PYTHON = `import hashlib, json, multiprocessing, os, subprocess, sys

def short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]

CHILD = "import hashlib, json, os; print(hashlib.sha256(json.loads(os.environ['BOT_CONFIG'])['big'].encode()).hexdigest()[:16])"

def main(bot_id, config):
    print("argument", short(config["big"]))
    print("variable", short(json.loads(os.environ["BOT_CONFIG"])["big"]), short(json.loads(os.getenv("CONFIG"))["big"]))
    print("listed", "BOT_CONFIG" in os.environ, "BOT_CONFIG" in list(os.environ), "NOTHING" in os.environ)
    plain = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True)
    print("child", plain.stdout.strip() or plain.stderr)
    copied = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, env={**os.environ, "MORE": "1"})
    print("copied", copied.stdout.strip() or copied.stderr)
    print("shell", subprocess.run("echo works", shell=True, capture_output=True, text=True).stdout.strip())
    sys.exit(3)
`;
const NODE = `const crypto = require('node:crypto');
const { execFileSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const short = (text) => crypto.createHash('sha256').update(text).digest('hex').slice(0, 16);
const CHILD = "console.log(require('crypto').createHash('sha256').update(JSON.parse(process.env.BOT_CONFIG).big).digest('hex').slice(0,16))";
exports.main = async (id, config) => {
  console.log('argument', short(config.big));
  console.log('variable', short(JSON.parse(process.env.BOT_CONFIG).big), short(JSON.parse(process.env.CONFIG).big));
  console.log('listed', 'BOT_CONFIG' in process.env, Object.keys(process.env).includes('BOT_CONFIG'), 'NOTHING' in process.env);
  console.log('child', execFileSync(process.execPath, ['-e', CHILD]).toString().trim());
  console.log('copied', execFileSync(process.execPath, ['-e', CHILD], { env: { ...process.env, MORE: '1' } }).toString().trim());
  console.log('shell', execFileSync('sh', ['-c', 'echo works']).toString().trim());
  await new Promise((resolve) => new Worker(CHILD.replace('console.log(', "console.log('worker', "), { eval: true }).on('exit', resolve));
  process.exit(3);
};
`;
const QUERIED = `import hashlib, json, os, sys
config = json.loads(os.environ["BOT_CONFIG"])
with open("/query/result.json", "w") as file:
    json.dump({"status": "ok", "data": {"sum": hashlib.sha256(config["big"].encode()).hexdigest()[:16]}}, file)
`;
const NODE_QUERIED = `const config = JSON.parse(process.env.BOT_CONFIG);
const sum = require('crypto').createHash('sha256').update(config.big).digest('hex').slice(0, 16);
require('fs').writeFileSync('/query/result.json', JSON.stringify({ status: 'ok', data: { sum } }));
`;

describe('case A7: a configuration of 200 kB', () => {
  let spine: QuerySpine;
  beforeAll(async () => {
    spine = await startQuerySpine({ query: { containers: 2, queue: 4 } });
  });
  afterAll(() => spine.end());

  const exitOf = async (id: string): Promise<Exit> => {
    const find = () => spine.told.find(({ botId, event }) => botId === id && event.type === 'ContainerExited');
    await expect.poll(find).toBeDefined();
    return find()?.event as Exit;
  };
  const runs = [
    { name: 'python', runtime: 'python3.11', file: 'main.py', code: PYTHON, more: [] },
    { name: 'node', runtime: 'nodejs20', file: 'main.js', code: NODE, more: [`worker ${SUM}`] },
  ];

  it.each(runs)(
    'a $name bot sees it whole, and so do the programs that it starts',
    async ({ name, runtime, file, code, more }) => {
      const custom = { runtime, entrypoints: { bot: file } };
      await spine.deployAsked(
        name,
        { [file]: code },
        { custom, config: { big: BIG }, root: { drover: { restartPolicy: 'never' } } },
      );
      const exit = await exitOf(name);
      expect(exit.logTail).toEqual(
        expect.arrayContaining([
          `argument ${SUM}`,
          `variable ${SUM} ${SUM}`,
          name === 'python' ? 'listed True False False' : 'listed true false false',
          `child ${SUM}`,
          `copied ${SUM}`,
          'shell works',
          ...more,
        ]),
      );
      expect(exit).toMatchObject({ class: 'appError', exitCode: 3 });
    },
  );
  it.each([
    ['python3.11', 'query.py', QUERIED],
    ['nodejs20', 'query.js', NODE_QUERIED],
  ])('a query program of %s sees it, the second time as the first', async (runtime, file, code) => {
    const id = `asked-${file}`;
    const custom = { runtime, entrypoints: { bot: file, query: file } };
    await spine.deployAsked(id, { [file]: code }, { custom, config: { big: BIG, enabled: false } });
    await spine.reaches(id, 'stopped');
    for (let n = 0; n < 2; n += 1) {
      expect((await spine.ask(id, '/sum')).body).toMatchObject({ data: { sum: SUM } });
    }
  });
  it('of a compiled bot is refused with the sizes, because nothing could hand it over', async () => {
    const custom = { runtime: 'rust-stable', entrypoints: { bot: 'bot' } };
    await spine.put('compiled', spine.document('compiled', { custom, config: { big: BIG } }));
    await expect
      .poll(() => spine.bot('compiled')?.conditions.find(({ type }) => type === 'SpecValid'))
      .toMatchObject({
        status: 'False',
        message: expect.stringMatching(
          /^\/config: has \d{6} bytes as JSON, and a bot of the runtime rust-stable can get at most 131060$/,
        ) as unknown,
      });
    expect(await spine.containers('compiled')).toEqual([]);
  });
});
