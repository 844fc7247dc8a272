/** Every runtime of contract §6.1 in its container, from archives as they are uploaded: programs, jars, wrappers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BotEvent } from '../../src/domain/bot-event.ts';
import { compile, hasTool } from '../support/compile.ts';
import { docker, startSpine, zipOf, type Spine } from '../support/spine.ts';

type Exit = Extract<BotEvent, { type: 'ContainerExited' }>;

let spine: Spine;
beforeAll(async () => {
  spine = await startSpine({ policy: { backoffFirstMs: 30_000, backoffMaxMs: 30_000 } });
});
afterAll(() => spine.end());

const deploy = async (
  id: string,
  runtime: string,
  entrypoint: string,
  files: Readonly<Record<string, string | Buffer>>,
  restartPolicy = 'never',
): Promise<void> => {
  await spine.stores.archives.putCode(`test/${id}/1.0.0`, zipOf(files));
  const custom = { runtime, entrypoints: { bot: entrypoint } };
  await spine.put(id, spine.document(id, { custom, config: { symbol: 'ETH' }, root: { drover: { restartPolicy } } }));
};
const exitOf = async (id: string): Promise<Exit> => {
  const find = () => spine.told.find(({ botId, event }) => botId === id && event.type === 'ContainerExited');
  await expect.poll(find).toBeDefined();
  return find()?.event as Exit;
};
const ends = async (...args: Parameters<typeof deploy>): Promise<Exit> => {
  await deploy(...args);
  return exitOf(args[0]);
};
/** Each of them keeps a file, says whose it is, and leaves with 3. */
const SAID = 'ETH, kept 1';

describe('a compiled bot', () => {
  const CPP = `#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
int main() {
  const std::string config = std::getenv("BOT_CONFIG");
  const std::string folder = std::getenv("STATE_DIR");
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/n.json") << 1;
  std::cout << (config.find("\\"symbol\\":\\"ETH\\"") != std::string::npos ? "ETH" : config) << ", kept 1" << std::endl;
  return 3;
}`;
  const RUST = `use std::{env, fs, process};
fn main() {
    let config = env::var("BOT_CONFIG").unwrap();
    fs::create_dir_all(env::var("STATE_DIR").unwrap()).unwrap();
    fs::write(format!("{}/n.json", env::var("STATE_DIR").unwrap()), "1").unwrap();
    println!("{}, kept 1", if config.contains("\\"symbol\\":\\"ETH\\"") { "ETH" } else { &config });
    process::exit(3);
}`;

  it.skipIf(!hasTool('g++')).each(['cpp-gcc13', 'gcc13', 'ghc96'])(
    'of C++ runs as %s, from an archive without modes, with its own exit code',
    async (runtime) => {
      const program = await compile({ name: 'bot.cpp', text: CPP }, [['g++', '-O1', '-o', 'bot', 'bot.cpp']], 'bot');
      const exit = await ends(`elf-${runtime}`, runtime, 'build/bot', { 'build/bot': program });
      expect(exit).toMatchObject({ class: 'appError', exitCode: 3 });
      expect(exit.logTail).toContain(SAID);
    },
  );
  it.skipIf(!hasTool('rustc'))('of Rust runs', async () => {
    const program = await compile({ name: 'bot.rs', text: RUST }, [['rustc', '-o', 'bot', 'bot.rs']], 'bot');
    const exit = await ends('rust', 'rust-stable', 'target/release/bot', { 'target/release/bot': program });
    expect(exit).toMatchObject({ class: 'appError', exitCode: 3 });
    expect(exit.logTail).toContain(SAID);
  });
  it('that is no program is tried as a script of the shell, and fails with the shell’s words', async () => {
    const exit = await ends('noelf', 'rust-stable', 'bot', { bot: 'this is text without an interpreter' });
    expect(exit).toMatchObject({ class: 'appError', exitCode: 127 });
    expect(exit.logTail.join('\n')).toMatch(/this: not found/);
  });
});

describe('a bot on the Java machine', () => {
  const JAVA = (name: string) => `import java.nio.file.*;
public class ${name} {
  public static void main(String[] args) throws Exception {
    Files.writeString(Files.createDirectories(Path.of(System.getenv("STATE_DIR"))).resolve("n.json"), "1");
    System.out.println((System.getenv("BOT_CONFIG").contains("\\"symbol\\":\\"ETH\\"") ? "ETH" : "?") + ", kept 1");
    System.exit(3);
  }
}`;
  const jarOf = (name: string): Promise<Buffer> =>
    compile(
      { name: `${name}.java`, text: JAVA(name) },
      [
        ['javac', '--release', '17', `${name}.java`],
        ['jar', '--create', '--file', 'bot.jar', '--main-class', name, `${name}.class`],
      ],
      'bot.jar',
    );
  const isLeftOut = !hasTool('javac') || !hasTool('jar');
  it.skipIf(isLeftOut)('runs from `x.jar`', async () => {
    const exit = await ends('jar', 'scala3', 'bot.jar', { 'bot.jar': await jarOf('Bot') });
    expect(exit).toMatchObject({ class: 'appError', exitCode: 3 });
    expect(exit.logTail).toContain(SAID);
  });
  it.skipIf(isLeftOut)('runs from `x.jar:Main`', async () => {
    const exit = await ends('jarmain', 'scala3', 'bot.jar:Other', { 'bot.jar': await jarOf('Other') });
    expect(exit).toMatchObject({ class: 'appError', exitCode: 3 });
    expect(exit.logTail).toContain(SAID);
  });
});

describe('a runtime that the image has not', () => {
  it('ends in a failure that no retry helps, with the reason', async () => {
    await deploy('dotnet', 'dotnet8', 'bot.dll', { 'bot.dll': 'MZ' }, 'always');
    const bot = await spine.reaches('dotnet', 'failed.exhausted');
    expect(bot.conditions.find(({ type }) => type === 'Degraded')).toMatchObject({
      reason: 'RuntimeUnsupported',
      message: expect.stringContaining('there is no dotnet in it') as string,
    });
  });
});

describe('the Node wrapper', () => {
  it.each([
    ['n-default', { 'main.js': `exports.default = async (id) => console.log('ran ' + id);` }],
    ['n-module', { 'main.js': `module.exports = (id) => console.log('ran ' + id);` }],
    ['n-esm', { 'main.mjs': `export const main = async (id) => console.log('ran ' + id);` }],
    ['n-esm-default', { 'main.mjs': `export default async (id) => console.log('ran ' + id);` }],
    [
      'n-esm-package',
      {
        'package.json': '{"type":"module"}',
        'main.js': `export async function main(id) { console.log('ran ' + id); }`,
      },
    ],
    [
      'n-esm-await',
      { 'main.mjs': `const word = await Promise.resolve('ran '); export const main = (id) => console.log(word + id);` },
    ],
    ['n-noext', { 'main.js': `exports.main = async (id) => console.log('ran ' + id);` }, 'main'],
  ])('%s: runs it', async (id, files, entrypoint = Object.keys(files).at(-1) ?? '') => {
    const exit = await ends(id, 'nodejs20', entrypoint, files);
    expect(exit.logTail).toContain(`ran ${id}`);
    expect(exit).toMatchObject({ class: 'completed', exitCode: 0 });
  });
  it.each([
    ['n-esm-throws', { 'main.mjs': `export const main = () => { throw new Error('no funds'); };` }, /no funds/],
    [
      'n-late',
      { 'main.js': `exports.main = () => new Promise(() => setTimeout(() => { throw new Error('late') }, 10));` },
      /late/,
    ],
    [
      'n-rejects',
      {
        'main.js': `exports.main = () => { Promise.reject(new Error('unheard')); return new Promise(() => setInterval(() => {}, 1e3)); };`,
      },
      /unheard/,
    ],
    ['n-syntax', { 'main.js': `exports.main = (` }, /SyntaxError/],
    ['n-missing', { 'main.js': `require('not-there');` }, /not-there/],
    [
      'n-sdk-error',
      {
        'main.js': `exports.main = () => { require('fs').writeFileSync('/bot/result.json', '{"status":"error"}'); process.exit(1); };`,
      },
      /./,
    ],
  ])('%s: fails with its own words and code 1', async (id, files, words) => {
    const exit = await ends(id, 'nodejs20', Object.keys(files)[0] ?? '', files);
    expect(exit).toMatchObject({ class: 'appError', exitCode: 1 });
    expect(exit.logTail.join('\n')).toMatch(words);
  });
});

describe('the Python wrapper', () => {
  it('tells what fails in the thread of `main`, and ends with a failure', async () => {
    const code = `def main(bot_id, config):
    raise ValueError("no funds")
`;
    const exit = await ends('p-main', 'python3.11', 'main.py', { 'main.py': code });
    expect(exit).toMatchObject({ class: 'appError', exitCode: 1 });
    expect(exit.logTail.join('\n')).toMatch(/Traceback[\s\S]*no funds/);
  });
  it('tells what fails in a thread of the bot’s own, which ends that thread alone, as everywhere in Python', async () => {
    const code = `import threading
def work():
    raise ValueError("lost in a thread")
def main(bot_id, config):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    raise SystemExit(5)
`;
    const exit = await ends('p-thread', 'python3.11', 'main.py', { 'main.py': code });
    expect(exit).toMatchObject({ class: 'appError', exitCode: 5 });
    expect(exit.logTail.join('\n')).toMatch(/Traceback[\s\S]*lost in a thread/);
  });
  it('hands its output on at once', async () => {
    const code = `import time
def main(bot_id, config):
    print("unbuffered")
    time.sleep(120)
`;
    await deploy('p-output', 'python3.11', 'main.py', { 'main.py': code }, 'always');
    const { containerId } = await spine.reaches('p-output', 'running');
    const logs = async () => (await docker.getContainer(containerId ?? '').logs({ stdout: true })).toString();
    await expect.poll(logs).toContain('unbuffered');
  });
  it('has the libraries of the archive, also those below `vendor`, and the module is not `__main__`', async () => {
    const files = {
      'vendor/lib.py': 'name = "vendored"',
      'near.py': 'name = "near"',
      'main.py': `import lib, near
def main(bot_id, config):
    print(lib.name, near.name, bot_id, config["symbol"], __name__)
if __name__ == "__main__":
    print("never")
`,
    };
    const exit = await ends('p-vendor', 'python3.11', 'main.py', files);
    expect(exit).toMatchObject({ class: 'completed', exitCode: 0 });
    expect(exit.logTail).toContain('vendored near p-vendor ETH main');
    expect(exit.logTail).not.toContain('never');
  });
});
