/** Ordinary Python bots, as they run outside of any runner: processes, threads, coroutines, signals, and a good end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { botRuns, type BotFiles, type BotRuns } from '../support/bot-runs.ts';
import { startSpine, type Spine } from '../support/spine.ts';

let spine: Spine;
let bots: BotRuns;
beforeAll(async () => {
  spine = await startSpine({ policy: { backoffFirstMs: 30_000, backoffMaxMs: 30_000 } });
  bots = botRuns(spine);
});
afterAll(() => spine.end());

const python = (text: string, more: Partial<BotFiles> = {}): BotFiles => ({ files: { 'main.py': text }, ...more });
/** Starts it, waits until it printed `ready`, stops it. */
const stopped = async (id: string, bot: BotFiles) => {
  await bots.start(id, bot);
  await spine.reaches(id, 'running');
  await expect.poll(() => bots.printed(id), { timeout: 60_000 }).toContain('ready');
  return bots.stops(id, bot);
};

describe('processes and threads', () => {
  const POOL = (method: string) => `import multiprocessing, os
def square(n):
    print("in a child", multiprocessing.parent_process() is not None)
    return n * n
def main(bot_id, config):
    print("order placed")
    with multiprocessing.get_context("${method}").Pool(2) as pool:
        print(pool.map(square, [1, 2, 3]))
`;
  it.each(['spawn', 'forkserver', 'fork'])('case D1: `main` runs once beside a pool made by %s', async (method) => {
    const exit = await bots.ends(`pool-${method}`, python(POOL(method)));
    expect(exit).toMatchObject({ class: 'completed', exitCode: 0 });
    expect(exit.logTail.filter((line) => line === 'order placed')).toHaveLength(1);
    expect(exit.logTail.filter((line) => line === 'in a child True')).toHaveLength(3);
    expect(exit.logTail).toContain('[1, 4, 9]');
  });
  it('case D1: children find the functions of a bot whose file is not called main.py', async () => {
    const bot = { files: { 'src/my-bot.py': POOL('spawn') }, entrypoint: 'src/my-bot.py' };
    const exit = await bots.ends('pool-named', bot);
    expect(exit.logTail).toContain('[1, 4, 9]');
    expect(exit).toMatchObject({ class: 'completed', exitCode: 0 });
  });
  it('case D2: a bot runs on while its threads do, and no longer', async () => {
    const exit = await bots.ends(
      'threads',
      python(`import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor
atexit.register(lambda: print("at exit"))
pool = ThreadPoolExecutor(1)
def work():
    time.sleep(1.5)
    pool.submit(print, "in the pool")
    print("worked")
def main(bot_id, config):
    threading.Thread(target=work).start()
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    print("main returned")
`),
    );
    expect(exit).toMatchObject({ class: 'completed', exitCode: 0 });
    const own = exit.logTail.filter((line) => /main|work|pool|exit/.test(line) && !line.startsWith('{'));
    expect([...own].sort()).toEqual(['at exit', 'in the pool', 'main returned', 'worked']);
    expect(own[0]).toBe('main returned');
    expect(own.at(-1)).toBe('at exit');
  });
});

describe('coroutines', () => {
  it.each([
    [
      'async def',
      `import asyncio\nasync def main(bot_id, config):\n    await asyncio.sleep(0.1)\n    print("awaited", bot_id)\n`,
    ],
    [
      'returned',
      `import asyncio\nasync def run(bot_id):\n    await asyncio.sleep(0.1)\n    print("awaited", bot_id)\ndef main(bot_id, config):\n    return run(bot_id)\n`,
    ],
  ])('case D9: a coroutine as main (%s) is awaited', async (kind, text) => {
    const id = `coroutine-${kind.replace(' ', '')}`;
    const exit = await bots.ends(id, python(text));
    expect(exit).toMatchObject({ class: 'completed', exitCode: 0 });
    expect(exit.logTail).toContain(`awaited ${id}`);
  });
  it('case D9: what fails in a coroutine is a failure', async () => {
    const exit = await bots.ends(
      'coroutine-fails',
      python(`async def main(bot_id, config):\n    raise ValueError("no funds")\n`),
    );
    expect(exit).toMatchObject({ class: 'appError', exitCode: 1 });
    expect(exit.logTail.join('\n')).toMatch(/Traceback[\s\S]*no funds/);
  });
});

describe('signals', () => {
  it.each([
    [
      'loop',
      `import asyncio, signal
async def run():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready")
    await stop.wait()
    await asyncio.sleep(1)
    print("heard it")
def main(bot_id, config):
    asyncio.run(run())
`,
    ],
    [
      'signal',
      `import signal, sys, time
def end(number, frame):
    print("heard it")
    sys.exit(0)
def main(bot_id, config):
    signal.signal(signal.SIGTERM, end)
    print("ready")
    while True:
        time.sleep(600)
`,
    ],
    [
      'interrupt',
      `import time
def main(bot_id, config):
    print("ready")
    try:
        while True:
            time.sleep(600)
    except KeyboardInterrupt:
        print("heard it")
`,
    ],
  ])('case D5: a handler that main installs hears SIGTERM (%s)', async (kind, text) => {
    const exit = await stopped(`signals-${kind}`, python(text));
    expect(exit).toMatchObject({ class: 'stoppedByUs', exitCode: 0 });
    expect(exit.logTail).toContain('heard it');
    expect(exit.logTail.join('\n')).not.toContain('Traceback');
  });
  it('case D5: what catches everything has its grace, and then ends', async () => {
    const text = `import time
def main(bot_id, config):
    print("ready")
    while True:
        try:
            time.sleep(600)
        except:
            print("ignored")
`;
    const exit = await stopped('signals-ignored', python(text, { drover: { stopGraceSeconds: 2 } }));
    expect(exit).toMatchObject({ class: 'stoppedByUs', exitCode: 137 });
    expect(exit.logTail).toContain('ignored');
  });
});

describe('a good end', () => {
  const PRELUDE = `import asyncio, json, os, threading, time
PATH = "/state/positions.json"
POSITIONS = {str(n): "open" for n in range(20000)}
def save():
    with open(PATH, "w") as file:
        json.dump(POSITIONS, file)
def found():
    if os.path.exists(PATH):
        print("found", json.load(open(PATH)).get("0"))
        return True
def close():
    for n in POSITIONS:
        POSITIONS[n] = "closed"
    save()
    print("positions closed")
def work():
    try:
        save()
        print("ready")
        while True:
            try:
                save()
            except Exception:
                continue
    finally:
        time.sleep(2)
        close()
`;
  it.each([
    ['plain', `def main(bot_id, config):\n    found() or work()\n`],
    ['thread', `def main(bot_id, config):\n    found() or threading.Thread(target=work).start()\n`],
    [
      'join',
      `def main(bot_id, config):
    if not found():
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
`,
    ],
    [
      'asyncio',
      `async def run():
    try:
        save()
        print("ready")
        while True:
            await asyncio.sleep(0.01)
            save()
    finally:
        await asyncio.sleep(2)
        close()
def main(bot_id, config):
    found() or asyncio.run(run())
`,
    ],
    [
      'coroutine',
      `async def main(bot_id, config):
    if found():
        return
    try:
        print("ready")
        while True:
            await asyncio.sleep(0.01)
            save()
    finally:
        await asyncio.sleep(2)
        close()
`,
    ],
  ])('case D8: `finally` closes positions, and that is what is stored (%s)', async (kind, text) => {
    const id = `closes-${kind}`;
    const bot = python(PRELUDE + text, { drover: { stopGraceSeconds: 30 } });
    const exit = await stopped(id, bot);
    expect(exit).toMatchObject({ class: 'stoppedByUs', exitCode: 0 });
    expect(exit.logTail).toContain('positions closed');
    await bots.loseState(id);
    expect((await bots.ends(id, bot)).logTail).toContain('found closed');
  });
  it.each([
    ['main', `def main(bot_id, config):\n    found() or write()\n`],
    [
      'daemon',
      `def main(bot_id, config):\n    if not found():\n        threading.Thread(target=write, daemon=True).start()\n        time.sleep(600)\n`,
    ],
  ])('case D8: a file that is overwritten in place when the stop comes is whole (%s)', async (kind, text) => {
    const WRITE = `def write():
    save()
    print("ready")
    while True:
        save()
`;
    const id = `whole-${kind}`;
    const bot = python(PRELUDE + WRITE + text);
    const exit = await stopped(id, bot);
    expect(exit).toMatchObject({ class: 'stoppedByUs', exitCode: 0 });
    await bots.loseState(id);
    expect((await bots.ends(id, bot)).logTail).toContain('found open');
  });
});
