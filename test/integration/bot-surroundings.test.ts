/** What ordinary bots find around them: a name, a home, whole lines, and a way to say why they failed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { botRuns, type BotFiles, type BotRuns } from '../support/bot-runs.ts';
import { referenceSdk } from '../support/reference-sdk.ts';
import { docker, startSpine, type Spine } from '../support/spine.ts';

const sdk = await referenceSdk();

let spine: Spine;
let bots: BotRuns;
beforeAll(async () => {
  spine = await startSpine({ policy: { backoffFirstMs: 30_000, backoffMaxMs: 30_000 } });
  bots = botRuns(spine);
});
afterAll(() => spine.end());

const python = (text: string, more: Partial<BotFiles> = {}): BotFiles => ({ files: { 'main.py': text }, ...more });
const node = (text: string): BotFiles => ({ runtime: 'nodejs20', entrypoint: 'main.js', files: { 'main.js': text } });

describe('a user', () => {
  it('case D3: a Python bot has a name and a home', async () => {
    const exit = await bots.ends(
      'user-python',
      python(`import getpass, os, pathlib, pwd
def main(bot_id, config):
    print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name, pathlib.Path.home(), os.path.expanduser("~bot"))
`),
    );
    expect(exit.logTail).toContain('bot bot /var/the0/home /var/the0/home');
  });
  it('case D3: a Node bot has a name and a home', async () => {
    const exit = await bots.ends(
      'user-node',
      node(`const os = require('os');
exports.main = async () => { const { username, homedir } = os.userInfo(); console.log(username, homedir, os.homedir()); };`),
    );
    expect(exit.logTail).toContain('bot /var/the0/home /var/the0/home');
  });
  it('case D4: what it writes into its home is there at the next start, and is no state', async () => {
    const bot = python(`import os
def main(bot_id, config):
    path = os.path.expanduser("~/.cache/x")
    print("cached" if os.path.exists(path) else "new", sorted(os.listdir("/state")))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write("x")
`);
    expect((await bots.ends('home', bot)).logTail).toContain('new []');
    expect((await bots.ends('home', { ...bot, config: { round: 2 } })).logTail).toContain('cached []');
  });
});

describe('the word of a bot that failed', () => {
  it.skipIf(sdk === undefined)(
    'case D6: `error()` of the SDK is in the output, in the event and in the status',
    async () => {
      const text = `from the0 import error
def main(bot_id, config):
    error("the exchange is closed")
`;
      const exit = await bots.ends('says-python', { files: { ...sdk, 'main.py': text } });
      expect(exit).toMatchObject({ class: 'appError', exitCode: 1, detail: 'the exchange is closed' });
      expect(exit.logTail).toContain('drover: the bot ended with an error: the exchange is closed');
      const bot = await spine.reaches('says-python', 'failed.exhausted');
      expect(bot.lastExit).toMatchObject({ detail: 'the exchange is closed' });
      expect(bot.conditions.find(({ type }) => type === 'Degraded')?.message).toContain('the exchange is closed');
    },
  );
  it('case D6: so is what a Node bot writes and exits', async () => {
    const exit = await bots.ends(
      'says-node',
      // As the SDK for Node does it.
      node(`exports.main = async () => {
  require('fs').writeFileSync('/bot/result.json', JSON.stringify({ status: 'error', message: 'no funds' }));
  process.exit(1);
};`),
    );
    expect(exit).toMatchObject({ class: 'appError', exitCode: 1, detail: 'no funds' });
    expect(exit.logTail).toContain('drover: the bot ended with an error: no funds');
  });
  it('case D6: an exception is the reason too, and is not printed twice', async () => {
    const exit = await bots.ends('says-raise', python(`def main(bot_id, config):\n    raise ValueError("no price")\n`));
    expect(exit).toMatchObject({ class: 'appError', exitCode: 1, detail: 'no price' });
    expect(exit.logTail.filter((line) => line.includes('no price') && line.startsWith('drover'))).toEqual([]);
  });
});

describe('lines', () => {
  const count = (lines: readonly string[]): { readonly whole: number; readonly metrics: number } => {
    const parsed = lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
    return {
      whole: parsed.filter(({ n, _metric }) => typeof n === 'number' && _metric === undefined).length,
      metrics: parsed.filter(({ _metric }) => _metric !== undefined).length,
    };
  };
  const BAR = `def bar(stop):
    done = 0
    while not stop.is_set():
        done += 1
        print(f"\\r{done}%|####", end="", file=sys.stderr, flush=True)
        time.sleep(0.001)
`;
  it('case D10: four threads and a progress bar: 2,000 lines and 50 metrics, all of them whole', async () => {
    const text = `import json, sys, threading, time
${BAR}
def work(thread):
    for n in range(500):
        if n % 2 == 0:
            print(json.dumps({"thread": thread, "n": n, "text": "x" * 200}))
        else:
            sys.stdout.write(json.dumps({"thread": thread, "n": n, "text": "x" * 200}))
            sys.stdout.write("\\n")
def metrics():
    for n in range(50):
        print(json.dumps({"_metric": "price", "n": n}))
        time.sleep(0.002)
def main(bot_id, config):
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)] + [threading.Thread(target=metrics)]
    show = threading.Thread(target=bar, args=(stop,))
    for thread in [show, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    show.join()
    print("all printed")
    time.sleep(600)
`;
    await bots.start('lines', python(text));
    await spine.reaches('lines', 'running');
    await expect.poll(() => bots.log('lines'), { timeout: 60_000 }).toContain('all printed');
    expect(count(await bots.log('lines'))).toEqual({ whole: 2_000, metrics: 50 });
    expect(count(await bots.printed('lines', { stdout: true }))).toEqual({ whole: 2_000, metrics: 50 });
    // The bar is its last state, not two thousand of them.
    expect((await bots.log('lines')).filter((line) => line.includes('####')).length).toBeLessThan(20);
  });
  it('case D10: lines of processes are whole, and what is printed without an end is there when the bot is killed', async () => {
    const text = `import json, multiprocessing, os, signal
def work(process):
    for n in range(250):
        print(json.dumps({"process": process, "n": n}))
def main(bot_id, config):
    with multiprocessing.Pool(4) as pool:
        pool.map(work, range(8))
    print("all printed")
    print("half a line", end="")
    os.kill(os.getpid(), signal.SIGKILL)
`;
    await bots.start('lines-processes', python(text));
    await spine.reaches('lines-processes', 'failed.exhausted');
    const [exit] = spine.told.flatMap(({ botId, event }) =>
      botId === 'lines-processes' && event.type === 'ContainerExited' ? [event] : [],
    );
    expect(exit).toMatchObject({ exitCode: 137 });
    expect(exit?.logTail).toContain('half a line');
    const last = exit?.logTail.filter((line) => line.startsWith('{"process"')) ?? [];
    expect(count(last).whole).toBe(last.length);
  });
});

describe('a second SIGTERM', () => {
  it('case D8: takes nothing of the grace: a controller that died may send it again', async () => {
    const text = `import time
def main(bot_id, config):
    try:
        print("ready")
        time.sleep(600)
    finally:
        print("closing")
        time.sleep(2)
        print("positions closed")
`;
    await bots.start('twice', python(text));
    await spine.reaches('twice', 'running');
    await expect.poll(() => bots.printed('twice'), { timeout: 60_000 }).toContain('ready');
    const container = docker.getContainer(spine.bot('twice')?.containerId ?? '');
    await container.kill({ signal: 'SIGTERM' });
    await expect.poll(() => bots.printed('twice'), { timeout: 60_000 }).toContain('closing');
    await container.kill({ signal: 'SIGTERM' });
    await spine.reaches('twice', 'failed.exhausted');
    const [exit] = spine.told.flatMap(({ botId, event }) =>
      botId === 'twice' && event.type === 'ContainerExited' ? [event] : [],
    );
    expect(exit).toMatchObject({ class: 'killedByOthers', exitCode: 0 });
    expect(exit?.logTail).toContain('positions closed');
  });
});
