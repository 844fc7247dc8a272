/**
 * Bots in Node, Python and C as the reference's users have them: zips of contract §4, state made by plain `tar`, logs as its
 * readers read them; on a real engine with a real MinIO (features C6, E1, E7).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { HAS } from '../support/servers-world.ts';
import { docker } from '../support/spine.ts';
import { openStorageWorld, type StorageWorld } from '../support/storage-world.ts';

const NODE = `const fs = require('fs'); const file = process.env.STATE_DIR + '/runs.json';
exports.main = async (id, config) => {
  const runs = JSON.parse(fs.readFileSync(file, 'utf8')).runs + 1; fs.writeFileSync(file, JSON.stringify({ runs }));
  console.log('run ' + runs); console.error(JSON.stringify({ level: 'info', message: 'structured' }));
  process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); await new Promise(() => {}); };`;
const PYTHON = `import json, os, time
def main(bot_id, config):
    path = os.path.join(os.environ["STATE_DIR"], "runs.json")
    runs = json.load(open(path))["runs"] + 1
    json.dump({"runs": runs}, open(path, "w"))
    print("run", runs)
    print(json.dumps({"level": "info", "message": "structured"}))
    while True: time.sleep(0.2)
`;
const C = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
  char path[512]; int runs = 0;
  snprintf(path, sizeof path, "%s/runs.json", getenv("STATE_DIR"));
  FILE *f = fopen(path, "r"); if (!f || fscanf(f, "{\\"runs\\":%d}", &runs) != 1) return 9; fclose(f);
  f = fopen(path, "w"); fprintf(f, "{\\"runs\\":%d}", ++runs); fclose(f);
  printf("run %d\\n{\\"level\\":\\"info\\",\\"message\\":\\"structured\\"}\\n", runs); fflush(stdout);
  for (;;) pause();
}
`;

/** The path of a program made of C, or undefined where there is no compiler. */
const compiled = (folder: string): string | undefined => {
  try {
    writeFileSync(join(folder, 'bot.c'), C);
    execFileSync('gcc', ['-O1', '-o', join(folder, 'bot'), join(folder, 'bot.c')]);
    return join(folder, 'bot');
  } catch {
    return undefined;
  }
};

/** \`state.tar.gz\` as plain tar makes it of a folder that holds \`.the0-state/runs.json\`. */
const stateByTar = (folder: string, runs: number): Buffer => {
  const state = join(folder, 'state');
  mkdirSync(join(state, '.the0-state'), { recursive: true });
  writeFileSync(join(state, '.the0-state', 'runs.json'), JSON.stringify({ runs }));
  execFileSync('tar', ['czf', join(folder, 'state.tar.gz'), '-C', state, '.']);
  return readFileSync(join(folder, 'state.tar.gz'));
};

const zip = (name: string, content: Buffer): Readable => {
  const archive = new ZipFile();
  archive.addBuffer(content, name, { mode: 0o100644 });
  archive.end();
  return Readable.from(archive.outputStream);
};

describe.skipIf(!HAS.minio)('a bot of the reference', () => {
  let world: StorageWorld;
  let folder: string;
  beforeAll(async () => {
    world = await openStorageWorld();
    folder = mkdtempSync(join(tmpdir(), 'drover-made-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await world.close();
  });

  it.each([
    ['node', 'nodejs20', 'main.js', () => Buffer.from(NODE)],
    ['python', 'python3.11', 'main.py', () => Buffer.from(PYTHON)],
    [
      'c',
      'gcc13',
      'bot',
      () => {
        const path = compiled(folder);
        return path === undefined ? undefined : readFileSync(path);
      },
    ],
  ] as const)(
    'in %s goes on from the state it had, and its output is stored once',
    async (id, runtime, file, code) => {
      const { spine } = world;
      const content = code();
      if (content === undefined) {
        console.log(`${id} was not tested: there is no compiler for it here`);
        return;
      }
      await spine.archives.putCode(`test/${id}/1.0.0`, zip(file, content));
      await world.putLegacy(id, stateByTar(folder, 41));
      const custom = { runtime, entrypoints: { bot: file } };
      await spine.put(id, spine.document(id, { custom }));
      const first = await spine.reaches(id, 'running');
      await expect.poll(() => world.printed(id)).toContain('run 42');
      // Killed in the middle: on the same host nothing is lost.
      await docker.getContainer(first.containerId ?? '').kill();
      await spine.reaches(id, 'running', ({ attempt }) => attempt > first.attempt);
      await expect.poll(() => world.printed(id)).toContain('run 43');
      // Stopped, and the host is lost: nothing is lost either.
      await spine.put(id, spine.document(id, { custom, config: { enabled: false } }));
      await spine.reaches(id, 'stopped', ({ unsynced }) => !unsynced);
      await world.dropVolumes(id);
      await spine.put(id, spine.document(id, { custom }));
      await spine.reaches(id, 'running', ({ attempt }) => attempt > first.attempt + 1);
      await expect.poll(() => world.printed(id)).toContain('run 44');
      await spine.put(id, spine.document(id, { custom, config: { enabled: false } }));
      await spine.reaches(id, 'stopped', ({ unsynced }) => !unsynced);
      const lines = (await world.storedLog(id)).map((line) => JSON.parse(line) as Record<string, string>);
      const messages = lines.map(({ message }) => message).filter((message) => message?.startsWith('run '));
      expect(messages).toEqual(['run 42', 'run 43', 'run 44']);
      expect(lines.every(({ timestamp }) => !Number.isNaN(Date.parse(timestamp ?? '')))).toBe(true);
      expect(lines.filter(({ level, message }) => level === 'info' && message === 'structured')).toHaveLength(3);
      // The reference's readers find the newest state where they look for it.
      expect(await world.legacyFile(id, '.the0-state/runs.json')).toMatch(/"runs":\s?44/);
    },
    180_000,
  );
});
