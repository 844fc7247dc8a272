/** One process of a query program, and the gate at which an interpreter waits for its query. */
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { openOutputPipe } from '../../src/runtime/output-pipe.ts';
import { startQueryProgram } from '../../src/runtime/query/query-program.ts';
import { makeOutputPipes } from '../../src/runtime/query/output-pipes.ts';
import { queryVariables } from '../../src/runtime/query/variables.ts';

const shell = (script: string, pipe = openOutputPipe()) =>
  startQueryProgram({
    command: { file: 'sh', args: ['-c', script] },
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '' },
    pipe,
    gated: true,
  });
const TAKES = 'head -c 3 <&3 >/dev/null; printf "!" >&3; exec 3<&-;';

it('is released once it has taken its variables, however quickly it ends then', async () => {
  for (let i = 0; i < 20; i += 1) {
    const program = shell(`${TAKES} exit 7`);
    expect(await program.release('a\0\0')).toBe(true);
    expect(await program.ended).toBe(7);
    program.close();
  }
});

it('is released also when somebody has stopped it, with all of its group', async () => {
  const program = shell(`${TAKES} exit 7`);
  process.kill(-(program.pid ?? 0), 'SIGSTOP');
  expect(await program.release('a\0\0')).toBe(true);
  expect(await program.ended).toBe(7);
  program.close();
});

it.each([
  ['ends unasked', 'exit 3', 3],
  ['closes its gate unread and goes on', 'exec 3<&-; sleep 60', 137],
  ['leaves its gate to another process', 'sleep 60 & exit 3', 3],
])('one that %s is not released, and holds nobody up', async (_name, script, code) => {
  const program = shell(script);
  expect(await program.release('a\0\0')).toBe(false);
  program.kill();
  expect(await program.ended).toBe(code);
  program.close();
});

it('one that ignores its gate holds nobody up who ends it', async () => {
  const program = shell('sleep 60 & sleep 60');
  const released = program.release('a\0\0');
  program.kill();
  expect(await program.ended).toBe(137);
  expect(await released).toBe(false);
  expect(await program.release('a\0\0')).toBe(false);
  program.close();
});

it('one that cannot be run ends with 127, and says why', async () => {
  const command = { file: '/no/such/program', args: [] };
  const program = startQueryProgram({ command, cwd: tmpdir(), env: {}, pipe: openOutputPipe(), gated: false });
  expect(await program.ended).toBe(127);
  expect(await program.lastWords()).toContain('/no/such/program');
  program.close();
});

it('pipes are used again, and hold nothing of those who had them before; more than there are are made', async () => {
  const pipes = await makeOutputPipes();
  for (let i = 0; i < 10; i += 1) {
    const program = shell(`${TAKES} echo ${String(i)} >/dev/stdout; head -c 40000 /dev/zero`, pipes.open());
    await program.release('a\0\0');
    await program.ended;
    if (i % 2 === 0) expect((await program.lastWords()).replaceAll('\0', '')).toBe('');
    program.close();
  }
  const many = Array.from({ length: 5 }, (_, index) => shell(`${TAKES} echo ${String(index)}`, pipes.open()));
  for (const [index, program] of many.entries()) {
    await program.release('a\0\0');
    await program.ended;
    expect(await program.lastWords()).toBe(`${String(index)}\n`);
    program.close();
  }
});

it('parameters are variables where a variable can hold them', () => {
  expect(queryVariables('/p', '{"a":"x","b":1,"c":null,"":2,"d=e":3,"f\\u0000":4,"g":"\\u0000"}')).toEqual({
    QUERY_PATH: '/p',
    QUERY_PARAMS: '{"a":"x","b":1,"c":null,"":2,"d=e":3,"f\\u0000":4,"g":"\\u0000"}',
    QUERY_PARAM_a: 'x',
    QUERY_PARAM_b: '1',
    QUERY_PARAM_c: 'null',
  });
  expect(queryVariables('/p', 'null')).toEqual({ QUERY_PATH: '/p', QUERY_PARAMS: 'null' });
  expect(() => queryVariables('/\0', '{}')).toThrow('NUL');
});
