import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { borrowServers, lendServers, type BorrowedServers, type Lender } from '../setup/lent-servers.ts';

const lend = async (...names: readonly string[]): Promise<Lender> => {
  const lent = await lendServers(names.map((name) => ({ name })));
  onTestFinished(() => lent.close());
  return lent.lender;
};
const nameOf = ({ env }: BorrowedServers): string | undefined => env['name'];

describe('sets of test servers', () => {
  test('no two borrowers have the same set at the same time, and each set comes back', async () => {
    const lender = await lend('a', 'b', 'c');
    const inUse = new Set<string>();
    const used = new Map<string, number>();
    const work = async (): Promise<void> => {
      const borrowed = await borrowServers(lender);
      const name = nameOf(borrowed) ?? '';
      expect(inUse).not.toContain(name);
      inUse.add(name);
      used.set(name, (used.get(name) ?? 0) + 1);
      await new Promise((resolve) => setImmediate(resolve));
      inUse.delete(name);
      borrowed.giveBack();
    };
    await Promise.all(Array.from({ length: 30 }, work));
    expect([...used.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect([...used.values()].reduce((sum, count) => sum + count)).toBe(30);
  });

  test('one that is waiting gets the set of a process that was killed', async () => {
    const lender = await lend('only');
    const program = `require('node:net').connect(${String(lender.port)}, '127.0.0.1').on('data', (data) => process.stdout.write(data)).write('${lender.word}\\n')`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    let came: BorrowedServers | undefined;
    const next = borrowServers(lender).then((borrowed) => (came = borrowed));
    // Whoever comes later and leaves again takes nothing with him; the one before him has been seen by then.
    const impatient = connect(lender.port, '127.0.0.1');
    await once(impatient, 'connect');
    impatient.end(`${lender.word}\n`);
    await once(impatient.resume(), 'close');
    expect(came).toBeUndefined();
    child.kill('SIGKILL');
    expect(nameOf(await next)).toBe('only');
  });

  test('a stranger gets none', async () => {
    const lender = await lend('a');
    const stranger = connect(lender.port, '127.0.0.1');
    let heard = '';
    stranger.on('data', (data) => (heard += data.toString()));
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await once(stranger, 'close');
    expect(heard).toBe('');
    expect(nameOf(await borrowServers(lender))).toBe('a');
  });

  test('whoever waits when the run ends is told', async () => {
    const lent = await lendServers([]);
    const waiting = borrowServers(lent.lender);
    const told = expect(waiting).rejects.toThrow('the servers of this run are gone');
    await new Promise((resolve) => setTimeout(resolve, 10));
    await lent.close();
    await told;
  });
});
