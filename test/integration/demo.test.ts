/** The demo is what a stranger sees first: it plays to its end, and Ctrl-C removes what it made. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { docker, HOST } from '../support/spine.ts';

const ROOT = join(import.meta.dirname, '../..');

const demo = (...args: string[]): { child: ChildProcess; output: () => string } => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, DOCKER_HOST: HOST },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => stripVTControlCharacters(output) };
};
const left = async (): Promise<string[]> => {
  const containers = await docker.listContainers({ all: true, filters: { label: ['drover.role=bot'] } });
  const { Volumes: volumes } = await docker.listVolumes({ filters: { label: ['drover.role=volume'] } });
  const ofDemo = (labels: Readonly<Record<string, string>>): boolean => /^demo/.test(labels['drover.install'] ?? '');
  return [
    ...containers.filter(({ Labels }) => ofDemo(Labels)).map(({ Id }) => Id),
    ...volumes.filter(({ Labels }) => ofDemo(Labels)).map(({ Name }) => Name),
  ];
};

describe('npm run demo', () => {
  it('-- --once plays the whole story, prints a table, and leaves nothing behind', async () => {
    const { child, output } = demo('--once');
    const [code] = (await once(child, 'close')) as [number];
    expect(code, output()).toBe(0);
    for (const step of ['deploy', 'crash', 'change', 'disable', 'enable', 'kill -9', 'delete', 'clean']) {
      expect(output()).toMatch(new RegExp(`│ ${step} +│`));
    }
    expect(output()).toMatch(/starting → running/);
    expect(await left()).toEqual([]);
  });
  it('goes on until Ctrl-C, which removes what it made', async () => {
    const { child, output } = demo();
    await expect.poll(output, { timeout: 120_000 }).toMatch(/Ctrl-C ends the demo/);
    expect((await left()).length).toBeGreaterThan(0);
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect(code, output()).toBe(0);
    expect(await left()).toEqual([]);
  });
});
