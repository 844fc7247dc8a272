/** What a user writes, from the file to the API and back to the terminal: to the digit, or refused by name. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCli, type ServedCli } from '../support/served-cli.ts';

let cli: ServedCli;
let folder: string;
beforeAll(async () => {
  cli = await openCli((program) => {
    for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  });
  ({ folder } = cli);
});
afterAll(() => cli.close());

const drover = (...args: string[]): Promise<string> => cli.drover(...args);

const CUSTOM =
  'custom: {version: 1.0.0-a, filePath: u/x/1, config: {runtime: nodejs20, entrypoints: {bot: main.js}}}\n';
const file = async (name: string, text: string | Buffer): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};
const shown = async (id: string): Promise<string> => (await fetch(`${cli.url}/v1/bots/${id}?secrets=true`)).text();

describe('drover apply', () => {
  it('case A1: keeps numbers as they are written, in the store, in the API, and over enable and disable', async () => {
    const config = 'config: {enabled: false, channel_id: 1098765432109876543, stake: 10.0, tiny: 1e-7, 10: a, 2: b}\n';
    const path = await file('exact.yaml', `id: exact\n${config}${CUSTOM}`);
    const text = '"channel_id":1098765432109876543,"stake":10.0,"tiny":1e-7,"10":"a","2":"b"}';
    expect(await drover('apply', path)).toBe('exact applied');
    expect(await drover('apply', path)).toBe('exact unchanged');
    expect(await shown('exact')).toContain(text);
    await drover('enable', 'exact');
    await drover('disable', 'exact');
    expect(await shown('exact')).toContain(`{"enabled":false,${text}`);
    await writeFile(path, `id: exact\n${config.replace('10.0', '10')}${CUSTOM}`);
    expect(await drover('apply', path)).toBe('exact applied');
  });
  it('case A1: refuses a number that JSON has not, with file, line and field', async () => {
    const path = await file('endless.yaml', `id: endless\nconfig:\n  limit: .inf\n${CUSTOM}`);
    await expect(drover('apply', path)).rejects.toThrow(
      `${path}:3:10: /config/limit is a number that JSON cannot express`,
    );
  });
  it('case A2: merges keys, so that the defaults of a bot hold', async () => {
    const text = `defaults: &d {dry_run: true, size: 1.50}\nid: merged\nconfig: {<<: *d, enabled: false}\n${CUSTOM}`;
    const answer = drover('apply', await file('merged.yaml', text));
    // A key of its own for the anchor is no key of drover's, and not nearly one.
    expect(await answer).toBe('merged applied');
    expect(await shown('merged')).toContain('"config":{"dry_run":true,"size":1.50,"enabled":false}');
  });
  it('case A5: takes an id of digits, UTF-16, and a bot.yaml that is a link', async () => {
    const text = `id: 007\nconfig: {enabled: false, name: bär}\n${CUSTOM}`;
    const target = await file('shared.yaml', Buffer.from(`\ufeff${text}`, 'utf16le'));
    await mkdir(join(folder, 'linked'));
    await symlink(target, join(folder, 'linked/bot.yaml'));
    expect(await drover('apply', join(folder, 'linked'))).toBe('007 applied');
    expect(await shown('007')).toContain('"name":"bär"');
  });
  it('case A5: says what is wrong with a file', async () => {
    const latin = await file('latin.yaml', Buffer.from('id: b\xe4r', 'latin1'));
    await expect(drover('apply', latin)).rejects.toThrow(`${latin} is not UTF-8 text`);
    const nameless = await file('nameless.yaml', 'config: {}');
    await expect(drover('apply', nameless)).rejects.toThrow(`${nameless} has no \`id\``);
    await expect(drover('apply', await file('void.yaml', ''))).rejects.toThrow('void.yaml is empty');
    await mkdir(join(folder, 'dangling'));
    await symlink('nowhere', join(folder, 'dangling/bot.yaml'));
    await expect(drover('apply', join(folder, 'dangling'))).rejects.toThrow('leads to none');
  });
  it('names each refused document of several, and applies the others', async () => {
    const fleet = join(folder, 'fleet');
    for (const [name, config] of Object.entries({
      a: '{x: .nan}',
      b: '{enabled: false}',
      c: '[1]',
      d: '{enabled: false}',
    })) {
      await mkdir(join(fleet, name), { recursive: true });
      await writeFile(join(fleet, name, 'bot.yaml'), `id: fleet-${name}\nconfig: ${config}\n${CUSTOM}`);
    }
    await mkdir(join(fleet, 'e'));
    await expect(drover('apply', fleet)).rejects.toMatchObject({
      code: 'APPLY_INCOMPLETE',
      message: '3 of 5 documents were refused',
    });
    const said = cli.printed();
    expect(said).toContain('fleet-b applied');
    expect(said).toContain('fleet-d applied');
    expect(said).toMatch(/refused: \S+fleet\/a\/bot\.yaml:2:13: \/config\/x is a number/);
    expect(said).toMatch(/refused: \S+fleet\/c\/bot\.yaml: \/config: must be an object/);
    expect(said).toMatch(/refused: there is no bot\.yaml in \S+fleet\/e/);
  });
});

describe('the API', () => {
  const put = (id: string, body: string | Buffer) =>
    fetch(`${cli.url}/v1/bots/${id}`, {
      method: 'PUT',
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
  it('case E2: answers 422 with the limit to a document that is nested too deep, and stores nothing', async () => {
    for (const depth of [70, 2_200, 300_000]) {
      const deep = `{"id":"deep","config":{"a":${'['.repeat(depth)}${']'.repeat(depth)}},"custom":{}}`;
      const answer = await put('deep', deep);
      expect(answer.status).toBe(422);
      expect(await answer.text()).toContain('is nested more than 64 levels deep');
    }
    expect((await fetch(`${cli.url}/v1/bots/deep`)).status).toBe(404);
  });
  it('refuses a body with a key twice, and one that is no text', async () => {
    expect((await put('x', '{"id":"x","id":"y"}')).status).toBe(422);
    const wrong = await put('x', Buffer.from('{"id":"\xe4"}', 'latin1'));
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('is not UTF-8 text')]);
  });
});

describe('the command line', () => {
  it('refuses a form of output that it does not have, with those it has', async () => {
    for (const command of [
      ['get'],
      ['schedules'],
      ['runs', 's'],
      ['state', 'b'],
      ['dead-letters'],
      ['config'],
      ['transitions'],
    ]) {
      await expect(drover(...command, '-o', 'xml')).rejects.toThrow(
        /argument 'xml' is invalid\. Allowed choices are json/,
      );
    }
  });
  it('says of transitions of a bot that is not there that there is none', async () => {
    await expect(drover('transitions', 'nope')).rejects.toThrow('there is no bot "nope"');
    await expect.poll(() => drover('transitions', 'exact')).toContain('BotCreated');
  });
});
