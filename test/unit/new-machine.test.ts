/** A new machine: each tool is found or made, in every order, and named when it cannot be had. Programs are stubs. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aptInstall } from '../../scripts/apt.ts';
import { ensureDebootstrap } from '../../scripts/base-image.ts';
import { findCompose } from '../../scripts/check-compose.ts';
import { ensureEngine } from '../../scripts/ensure-engine.ts';
import { runCommand, type Machine } from '../../scripts/machine.ts';
import { prepareServers } from '../../scripts/prepare-tests.ts';
import { findNats } from '../../scripts/servers/find-nats.ts';
import { findMinio } from '../../scripts/servers/minio.ts';
import { findMongo, startOwnMongo } from '../../scripts/servers/mongo.ts';
import { findSecantus } from '../../scripts/servers/secantus.ts';
import { createSay } from '../setup/say.ts';

let top: string;
let machine: Machine;
let listening: Server[];
const progress = (): void => undefined;
const quiet = (): void => undefined;

beforeEach(() => {
  // Short: the path of a socket may have 107 characters.
  top = mkdtempSync(join(tmpdir(), 'dm-'));
  listening = [];
  for (const folder of ['bin', 'system/etc', 'system/usr/sbin', 'system/var/run', 'home']) {
    mkdirSync(join(top, folder), { recursive: true });
  }
  machine = {
    env: { PATH: join(top, 'bin'), HOME: join(top, 'home'), TMPDIR: top, TOP: top },
    platform: 'linux',
    uid: 0,
    root: join(top, 'system'),
    lockRetryMs: 10,
    lockWithinMs: 60_000,
    silentMs: 60_000,
    engineWithinMs: 60_000,
  };
});
afterEach(() => {
  for (const server of listening) server.close().closeAllConnections();
  rmSync(top, { recursive: true, force: true });
});

const put = (path: string, script: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  const note = `echo "\${0##*/} $*" >> '${top}/calls'`;
  writeFileSync(path, `#!/bin/sh\n${note}\nPATH=/usr/bin:/bin\n${script}\n`, { mode: 0o755 });
};
/** A program on PATH that notes each call. */
const stub = (name: string, script = 'exit 0'): void => {
  put(join(top, 'bin', name), script);
};
const calls = (): string[] =>
  existsSync(join(top, 'calls')) ? readFileSync(join(top, 'calls'), 'utf8').trim().split('\n') : [];
const callsOf = (start: string): string[] => calls().filter((call) => call.startsWith(start));
const cached = (...path: string[]): string => join(top, 'home/.cache/drover/tools', ...path);
const leftovers = (): string[] =>
  ['home/.cache/drover', 'home/.cache/drover/tools']
    .filter((folder) => existsSync(join(top, folder)))
    .flatMap((folder) => readdirSync(join(top, folder)))
    .filter((name) => name.startsWith('.'));
/** As if it had been changed last so many hours ago. */
const age = (path: string, hours: number): void => {
  const at = Date.now() / 1_000 - hours * 3_600;
  utimesSync(path, at, at);
};
const isDebian = (): void => {
  writeFileSync(join(top, 'system/etc/os-release'), 'PRETTY_NAME="Debian"\nID=debian\n');
};
const wordsOf = async (work: Promise<unknown>): Promise<string> => {
  const thrown = await work.then(
    () => new Error('it was found'),
    (error: unknown) => error as Error,
  );
  return thrown.message;
};

const GOOD = "printf '#!/bin/sh\\nexit 0\\n' >";
/** What `go install module@version` leaves behind. */
const GO = `[ "$1" = version ] && exit 0
case "$2" in *minio*) name=minio;; *) name=nats-server;; esac
${GOOD} "$GOBIN/$name"; chmod +x "$GOBIN/$name"`;
const APT_DOWNLOAD = 'case "$*" in *download*) touch nats-server_2.deb;; esac';
const DPKG_DEB = `mkdir -p unpacked/usr/sbin; ${GOOD} unpacked/usr/sbin/nats-server; chmod +x unpacked/usr/sbin/nats-server`;
/** `python3 -m venv place`; its python then installs the package. */
const PYTHON = `mkdir -p "$3/bin"
cat > "$3/bin/python" <<'END'
#!/bin/sh
echo "pip $*" >> "$TOP/calls"
${GOOD} "\${0%python}secantusd-py"; /bin/chmod +x "\${0%python}secantusd-py"
END
chmod +x "$3/bin/python"`;

const tools = {
  'nats-server': { find: () => findNats(progress, machine), version: 'v2.12.15' },
  minio: { find: () => findMinio(progress, machine), version: 'v0.0.0-20260212201848-7aac2a2c5b7c' },
} as const;

describe.each(['nats-server', 'minio'] as const)('%s', (name) => {
  const { find, version } = tools[name];
  const built = (): string => cached(`${name}-${version}`, name);

  it('on PATH is taken, and nothing is built', async () => {
    stub(name);
    stub('go', GO);
    expect(await find()).toBe(join(top, 'bin', name));
    expect(callsOf('go')).toEqual([]);
  });
  it('in the folders of the system is taken, though they are not on PATH', async () => {
    put(join(top, 'system/usr/sbin', name), 'exit 0');
    expect(await find()).toBe(join(top, 'system/usr/sbin', name));
  });
  it('is built once, and found in the cache from then on', async () => {
    stub('go', GO);
    expect(await find()).toBe(built());
    expect(await find()).toBe(built());
    expect(callsOf('go install')).toHaveLength(1);
    expect(leftovers()).toEqual([]);
  });
  it('on PATH that does not run is passed over for one that is built', async () => {
    stub(name, 'exit 126');
    stub('go', GO);
    expect(await find()).toBe(built());
  });
  it('is built once for two who ask at the same time, and by two processes without harm', async () => {
    stub('go', `${GO}; sleep 0.2`);
    expect(await Promise.all([find(), find()])).toEqual([built(), built()]);
    expect(callsOf('go install')).toHaveLength(1);
    rmSync(built());
    // Another machine object shares nothing with the first one but the folders, like another process.
    const another = { ...machine };
    const findThere = name === 'minio' ? findMinio(progress, another) : findNats(progress, another);
    expect(await Promise.all([find(), findThere])).toEqual([built(), built()]);
    expect(callsOf('go install')).toHaveLength(3);
    expect(leftovers()).toEqual([]);
  });
  it('is never found as half a build', async () => {
    stub('go', `${GO}; kill -9 $$`);
    expect(await wordsOf(find())).toContain('could not be built (');
    expect(existsSync(built())).toBe(false);
    // What a process left that was killed itself, long ago, and what another one is building now:
    for (const [folder, hours] of [['.building-killed', 25] as const, ['.building-now', 0] as const]) {
      mkdirSync(cached(folder), { recursive: true });
      writeFileSync(cached(folder, name), 'half');
      age(cached(folder), hours);
    }
    stub('go', GO);
    expect(await find()).toBe(built());
    expect(leftovers()).toEqual(['.building-now']);
  });
  it('is not taken when what was built does not run', async () => {
    stub('go', GO.replace('exit 0\\n', 'exit 1\\n'));
    expect(await wordsOf(find())).toContain('could not be built (what was built does not run)');
    expect(existsSync(built())).toBe(false);
  });
  it('is named when there is neither it nor a way to make it, or the way is broken', async () => {
    expect(await wordsOf(find())).toContain(`no \`${name}\` on PATH`);
    expect(await wordsOf(find())).toContain('no `go` that could build it');
    stub('go', 'exit 1');
    expect(await wordsOf(find())).toContain(`${join(top, 'bin/go')}, which could build it, does not run`);
    stub('go', '[ "$1" = version ] && exit 0; echo no network >&2; exit 1');
    expect(await wordsOf(find())).toMatch(/could not be built \(.*no network\)/);
  });
});

describe('the package of nats-server', () => {
  const unpacked = (): string => cached('nats-server-debian', 'nats-server');
  it('is fetched before anything is built, and found in the cache from then on', async () => {
    stub('apt-get', APT_DOWNLOAD);
    stub('dpkg-deb', DPKG_DEB);
    stub('go', GO);
    expect(await findNats(progress, machine)).toBe(unpacked());
    expect(await findNats(progress, machine)).toBe(unpacked());
    expect(callsOf('apt-get')).toHaveLength(1);
    expect(callsOf('go')).toEqual([]);
    expect(leftovers()).toEqual([]);
  });
  it('is fetched with new lists when the old ones do not have it', async () => {
    stub(
      'apt-get',
      `case "$*" in *update*) touch "$TOP/lists";; *) [ -e "$TOP/lists" ] || exit 100;; esac; ${APT_DOWNLOAD}`,
    );
    stub('dpkg-deb', DPKG_DEB);
    expect(await findNats(progress, machine)).toBe(unpacked());
    expect(
      calls()
        .map((call) => call.split(' ').slice(3).join(' '))
        .slice(0, 3),
    ).toEqual(['download nats-server', 'update', 'download nats-server']);
  });
  it('leaves nothing of an earlier one that was cut off', async () => {
    const cut = join(top, 'home/.cache/drover/.unpacking-killed');
    mkdirSync(cut, { recursive: true });
    age(cut, 25);
    stub('apt-get', APT_DOWNLOAD);
    stub('dpkg-deb', DPKG_DEB);
    expect(await findNats(progress, machine)).toBe(unpacked());
    expect(leftovers()).toEqual([]);
  });
  it.each([
    ['cannot be fetched', 'echo "E: no such package" >&2; exit 100', DPKG_DEB],
    ['is cut off while it is unpacked', APT_DOWNLOAD, `${DPKG_DEB}; kill -9 $$`],
    ['does not run here', APT_DOWNLOAD, DPKG_DEB.replace('exit 0', 'exit 1')],
  ])('that %s is passed over for one that is built', async (_case, apt, dpkg) => {
    stub('apt-get', apt);
    stub('dpkg-deb', dpkg);
    stub('go', GO);
    expect(await findNats(progress, machine)).toBe(cached('nats-server-v2.12.15', 'nats-server'));
    expect(existsSync(unpacked())).toBe(false);
    expect(leftovers()).toEqual([]);
  });
});

describe('what speaks the protocol of MongoDB', () => {
  const program = (): string => join(cached('secantusdb-0.7.0b3'), 'bin/secantusd-py');
  it('is mongod, else FerretDB, else secantusdb on PATH, else secantusdb installed', async () => {
    for (const name of ['mongod', 'ferretdb', 'secantusd-py']) stub(name);
    stub('python3', PYTHON);
    for (const name of ['mongod', 'ferretdb', 'secantusd-py']) {
      expect(await findMongo(progress, machine)).toBe(join(top, 'bin', name));
      rmSync(join(top, 'bin', name));
    }
    expect(await findMongo(progress, machine)).toBe(program());
    expect(await findMongo(progress, machine)).toBe(program());
    expect(callsOf('python3')).toHaveLength(1);
  });
  it('is installed by two at once without harm', async () => {
    stub('python3', PYTHON);
    const found = await Promise.all([findSecantus(progress, machine), findSecantus(progress, { ...machine })]);
    expect(found).toEqual([program(), program()]);
    expect(existsSync(program())).toBe(true);
  });
  it('is installed again when its Python has gone', async () => {
    stub('python3', PYTHON);
    await findSecantus(progress, machine);
    rmSync(join(cached('secantusdb-0.7.0b3'), 'bin/python'));
    expect(await findSecantus(progress, machine)).toBe(program());
    expect(callsOf('python3')).toHaveLength(2);
  });
  it('that was installed anew leaves nothing of the former one, nor of one that was cut off', async () => {
    stub('python3', PYTHON);
    await findSecantus(progress, machine);
    const [former = ''] = readdirSync(cached()).filter((name) => name !== 'secantusdb-0.7.0b3');
    rmSync(join(cached(former), 'bin/python'));
    mkdirSync(cached('secantusdb-0.7.0b3.CutOff'));
    await findSecantus(progress, machine);
    const place = basename(readlinkSync(cached('secantusdb-0.7.0b3')));
    for (const name of [former, place, 'secantusdb-0.7.0b3.CutOff']) age(cached(name), 25);
    expect(await findSecantus(progress, machine)).toBe(program());
    expect(readdirSync(cached()).sort()).toEqual(['secantusdb-0.7.0b3', place].sort());
  });
  it('is never found as half an installation', async () => {
    stub('python3', `${PYTHON}; kill -9 $$`);
    expect(await wordsOf(findSecantus(progress, machine))).toContain('could not be installed with python3 (');
    stub('python3', 'mkdir -p "$3/bin"; printf "#!/bin/sh\\nexit 0\\n" > "$3/bin/python"; chmod +x "$3/bin/python"');
    expect(await wordsOf(findSecantus(progress, machine))).toContain('the package came without secantusd-py');
    expect(existsSync(program())).toBe(false);
    expect(readdirSync(cached())).toEqual([]);
  });
  it('is named with all that was tried, and what to do', async () => {
    const line = await wordsOf(findMongo(progress, machine));
    expect(line).toBe(
      'MongoDB: no `mongod` on PATH, no `ferretdb` on PATH, no `python3` that could install secantusdb==0.7.0b3' +
        ' → install mongod, or Python 3 with venv, or set MONGO_URI',
    );
  });
  it('that does not start is passed over for the next, and named', async () => {
    for (const name of ['mongod', 'ferretdb']) stub(name, 'echo broken; exit 1');
    stub('python3', 'exit 1');
    const line = await wordsOf(startOwnMongo({ progress, machine }));
    expect(line).toMatch(/`mongod` does not work \(.*broken\)\), `ferretdb` does not work \(.*broken\)\), secantusdb/);
    expect(line).not.toContain('\n');
  });
});

describe('all servers', () => {
  it('are found or made side by side, and none is started', async () => {
    stub('python3', PYTHON);
    stub('go', GO);
    expect(await prepareServers(progress, machine, false)).toEqual([]);
    expect(callsOf('go install')).toHaveLength(2);
  });
  it('are named in a line each when none can be had, with what to do', async () => {
    const lines = await prepareServers(progress, machine, false);
    expect(lines).toHaveLength(3);
    for (const line of lines)
      expect(line).toMatch(/^(MongoDB|NATS|MinIO): no .* → .* set (MONGO_URI|NATS_URL|MINIO_ENDPOINT)$/);
  });
  it('are not looked for when the environment names them', async () => {
    const env = { ...machine.env, MONGO_URI: 'mongodb://a', NATS_URL: 'nats://a', MINIO_ENDPOINT: 'a:1' };
    expect(await prepareServers(progress, { ...machine, env }, false)).toEqual([]);
    expect(calls()).toEqual([]);
  });
});

describe('what is told meanwhile', () => {
  it('is each step once, and every half a minute that it goes on', () => {
    const lines: string[] = [];
    let now = 0;
    const say = createSay({ print: (line) => lines.push(stripVTControlCharacters(line)), now: () => now });
    for (; now < 61_000; now += 1_000) {
      say('building', `line ${String(now)}`);
      say('nothing of its own');
    }
    expect(lines).toEqual([
      '▸ building line 0',
      '▸ nothing of its own',
      '▸ building line 30000',
      '▸ building line 60000',
    ]);
  });
  it('is of a program that prints much no more than of one that prints nothing', async () => {
    stub('go', `${GO}; for i in 1 2 3 4 5 6 7 8 9; do echo "go: downloading $i"; done`);
    const lines: string[] = [];
    const say = createSay({ print: (line) => lines.push(stripVTControlCharacters(line)), now: () => 0 });
    await findMinio(say, machine);
    expect(lines).toEqual([expect.stringMatching(/^▸ building minio \S+ \(once, some minutes\)$/)]);
  });
  it('is for how long a program has been silent', async () => {
    stub('slow', 'echo begun; while [ ! -e "$TOP/over" ]; do sleep 0.05; done');
    const told: string[] = [];
    const slow = runCommand(join(top, 'bin/slow'), [], (line) => told.push(line), {
      machine: { ...machine, silentMs: 20 },
    });
    await expect.poll(() => told.filter((line) => /^\d+ s begun$/.test(line)).length).toBeGreaterThan(1);
    writeFileSync(join(top, 'over'), '');
    await slow;
  });
});

describe('apt-get', () => {
  it('is run one at a time, and the lists are fetched once', async () => {
    stub(
      'apt-get',
      'mkdir "$TOP/running" || touch "$TOP/two"; sleep 0.1; rmdir "$TOP/running"\n' +
        'case "$*" in *update*) touch "$TOP/lists";; *) [ -e "$TOP/lists" ] || exit 100;; esac',
    );
    await Promise.all(['a', 'b', 'c'].map((name) => aptInstall([name], quiet, machine)));
    expect(existsSync(join(top, 'two'))).toBe(false);
    expect(calls().filter((call) => call.endsWith('update'))).toHaveLength(1);
  });
  it('does not fetch lists when those that are here do', async () => {
    stub('apt-get');
    await aptInstall(['a'], quiet, machine);
    expect(calls().filter((call) => call.endsWith('update'))).toEqual([]);
  });
  it('waits for another process that holds a lock, and says so', async () => {
    writeFileSync(join(top, 'lock'), '');
    stub(
      'apt-get',
      '[ -e "$TOP/lock" ] || exit 0; echo "E: Could not get lock /x. It is held by process 1 (apt-get)" >&2; exit 100',
    );
    const told: string[] = [];
    const installed = aptInstall(['a'], (line) => told.push(line), machine);
    await expect.poll(() => callsOf('apt-get').length).toBeGreaterThan(2);
    rmSync(join(top, 'lock'));
    await installed;
    expect(told.join('\n')).toContain('another process holds the lock of apt-get');
  });
  it('completes an installation that was killed half way', async () => {
    stub(
      'apt-get',
      '[ -e "$TOP/whole" ] && exit 0; echo "E: dpkg was interrupted, you must manually run \'dpkg --configure -a\'" >&2; exit 100',
    );
    stub('dpkg', 'touch "$TOP/whole"');
    await aptInstall(['a'], quiet, machine);
    expect(callsOf('dpkg')).toEqual(['dpkg --configure -a']);
  });
});

describe('the Docker Engine', () => {
  const engineAt = async (socket: string): Promise<string> => {
    mkdirSync(dirname(socket), { recursive: true });
    const server = createServer((_request, response) => response.end('OK'));
    listening.push(server);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    return `unix://${socket}`;
  };
  const usual = (): string => join(top, 'system/var/run/docker.sock');
  const ensure = (env: Record<string, string> = {}, more: Partial<Machine> = {}) =>
    ensureEngine(progress, { ...machine, ...more, env: { ...machine.env, ...env } });
  const DOCKERD = `exec '${process.execPath}' -e 'require("http").createServer((q, r) => r.end("OK")).listen(process.env.SOCKET); setInterval(() => require("fs").existsSync(process.env.TOP) || process.exit(), 50)'`;

  it('is the one of DOCKER_HOST, and no other when that does not answer', async () => {
    const other = await engineAt(usual());
    const own = await engineAt(join(top, 'o.sock'));
    expect(await ensure({ DOCKER_HOST: own })).toEqual({ host: own, startedByUs: false });
    const DOCKER_HOST = `unix://${join(top, 'none.sock')}`;
    await expect(ensure({ DOCKER_HOST })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: `no engine answers at DOCKER_HOST=${DOCKER_HOST}`,
    });
    expect((await ensure()).host).toBe(other);
  });
  it('is the one of the context, else the usual one, else one without root, else that of podman', async () => {
    const meta = join(top, 'home/.docker/contexts/meta', createHash('sha256').update('mine').digest('hex'));
    mkdirSync(meta, { recursive: true });
    const sockets = [
      'c.sock',
      'system/var/run/docker.sock',
      'run/docker.sock',
      'run/podman/podman.sock',
      'system/run/podman/podman.sock',
    ];
    writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Endpoints: { docker: { Host: `unix://${top}/c.sock` } } }));
    writeFileSync(join(top, 'home/.docker/config.json'), '{"currentContext":"mine"}');
    for (const socket of sockets) await engineAt(join(top, socket));
    for (const socket of sockets) {
      expect(await ensure({ XDG_RUNTIME_DIR: join(top, 'run') })).toEqual({
        host: `unix://${join(top, socket)}`,
        startedByUs: false,
      });
      listening.shift()?.close().closeAllConnections();
    }
    expect(calls()).toEqual([]);
  });
  it('that is installed but not running is started, for two at once as well', async () => {
    stub('dockerd', DOCKERD);
    const env = { SOCKET: usual() };
    const both = await Promise.all([ensure(env), ensure(env)]);
    expect(both.map(({ host }) => host)).toEqual([`unix://${usual()}`, `unix://${usual()}`]);
    expect(callsOf('apt-get')).toEqual([]);
  });
  it('that is not there is installed on Debian as root, then started', async () => {
    isDebian();
    put(join(top, 'dockerd'), DOCKERD);
    stub('apt-get', 'cp "$TOP/dockerd" "$TOP/system/usr/sbin/dockerd"');
    expect(await ensure({ SOCKET: usual() })).toEqual({ host: `unix://${usual()}`, startedByUs: true });
    expect(callsOf('apt-get')[0]).toContain('docker.io');
  });
  it('is named when it can be neither installed nor started', async () => {
    await expect(ensure()).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_UNSUPPORTED',
      message: expect.stringContaining('only as root on Debian or Ubuntu') as string,
    });
    isDebian();
    await expect(ensure({}, { uid: 1000 })).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_UNSUPPORTED',
      message: expect.stringContaining(usual()) as string,
    });
    stub('apt-get', 'echo "E: no network" >&2; exit 100');
    await expect(ensure()).rejects.toMatchObject({
      code: 'ENGINE_INSTALL_UNSUPPORTED',
      message: expect.stringContaining('E: no network') as string,
    });
    stub('dockerd', 'echo no iptables; exit 1');
    await expect(ensure({}, { uid: 1000 })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('only root can start it') as string,
    });
    await expect(ensure()).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('ended at once: no iptables') as string,
    });
    mkdirSync(join(top, 'system/run/systemd/system'), { recursive: true });
    stub('systemctl', 'echo masked; exit 1');
    await expect(ensure()).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringContaining('masked') as string,
    });
  });
});

describe('debootstrap and compose', () => {
  it('are found, else installed, else named', async () => {
    await expect(ensureDebootstrap(progress, machine)).rejects.toMatchObject({ code: 'IMAGE_UNAVAILABLE' });
    expect(await findCompose(progress, machine)).toMatch(
      /^compose files .* is here \(only root .*\) → install one of them$/,
    );
    isDebian();
    stub('apt-get', 'echo "E: no network" >&2; exit 100');
    expect(await findCompose(progress, machine)).toMatch(/E: no network\) → install one of them$/);
    await expect(ensureDebootstrap(progress, machine)).rejects.toMatchObject({
      message: expect.stringContaining('E: no network') as string,
    });
    stub('apt-get', 'for name; do :; done; cp "$TOP/bin/true" "$TOP/system/usr/sbin/$name"');
    stub('true');
    await Promise.all([
      ensureDebootstrap(progress, machine),
      expect(findCompose(progress, machine)).resolves.toEqual([['docker-compose']]),
    ]);
    rmSync(join(top, 'calls'));
    await ensureDebootstrap(progress, machine);
    await findCompose(progress, machine);
    expect(callsOf('apt-get')).toEqual([]);
  });
});

/** Perl is a part of each Debian, as apt-get is. Prints a word once it has the lock, and keeps it until its input ends. */
const HOLD = `use Fcntl; $| = 1; open(F, '>', $ARGV[0]) or die;
my $lock = pack('s s x4 q q l x4', F_WRLCK, 0, 0, 0, 0);
fcntl(F, F_SETLK, $lock) or die; print 'held'; <STDIN>;`;
const REAL = '/usr/bin/apt-get';

describe('the real apt-get', () => {
  it.runIf(existsSync(REAL))('is waited with for the lock of its lists', async () => {
    mkdirSync(join(top, 'lists/partial'), { recursive: true });
    const settings = ['Dir::State::lists=$TOP/lists', 'Dir::Cache=$TOP', 'Dir::Etc::sourcelist=/dev/null'];
    const options = [...settings, 'Dir::Etc::sourceparts=/dev/null'].map((setting) => `-o "${setting}"`).join(' ');
    stub(
      'apt-get',
      `case "$*" in *update*) ${REAL} ${options} update && touch "$TOP/updated";; *) [ -e "$TOP/updated" ] || exit 100;; esac`,
    );
    const holder = spawn('perl', ['-e', HOLD, join(top, 'lists/lock')]);
    await once(holder.stdout, 'data');
    const told: string[] = [];
    const installed = aptInstall(['a'], (line) => told.push(line), machine);
    try {
      await expect.poll(() => told.join('\n')).toContain('another process holds the lock of apt-get');
      expect(existsSync(join(top, 'updated'))).toBe(false);
    } finally {
      holder.stdin.end();
    }
    await installed;
    expect(existsSync(join(top, 'updated'))).toBe(true);
  });
});
