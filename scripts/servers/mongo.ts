/** A MongoDB for tests: the one the environment names, else one of our own, or what speaks its protocol instead. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { thisMachine, type Machine } from '../machine.ts';
import { MONGO_PROGRAMS, type MongoProgram } from './mongo-programs.ts';
import { checkBasics, kindOf, takesWrites, type MongoKind } from './mongo-probe.ts';
import { createServerProcess, type ServerProcess } from './server-process.ts';
import { NoServer, wordOf, type Progress, type TestServer } from './test-server.ts';

/** One that tests may end, freeze and start again: same port, same data. */
export interface OwnMongo extends TestServer, ServerProcess {
  readonly uri: string;
}

export interface OwnMongoOptions {
  readonly progress: Progress;
  /** Without a replica set, so without change streams. */
  readonly standalone?: boolean;
  readonly machine?: Machine;
}

const describe = ({ program, changeStreams }: MongoKind): string =>
  `${program}, ${changeStreams ? '' : 'no '}change streams`;

const startProgram = async (program: MongoProgram, path: string, standalone: boolean): Promise<OwnMongo> => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-mongo-'));
  const port = await freePort();
  const server = createServerProcess({
    command: path,
    args: await program.args({ port, folder, standalone }),
    env: process.env,
    answers: () => takesWrites(port, program.toInitiate && !standalone),
  });
  const stop = async (): Promise<void> => {
    server.thaw();
    // Its data goes with it: there is nothing to tidy up.
    await server.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  const uri = `mongodb://127.0.0.1:${String(port)}/`;
  try {
    await server.start();
    await checkBasics(uri);
    return { ...server, uri, env: { MONGO_URI: uri }, how: describe(await kindOf(uri)), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
};

/** @throws NoServer with what was tried */
export const startOwnMongo = async (options: OwnMongoOptions): Promise<OwnMongo> => {
  const { progress, standalone = false, machine = thisMachine } = options;
  const why: string[] = [];
  for (const program of MONGO_PROGRAMS) {
    try {
      const path = await program.find(progress, machine);
      if (path === undefined) {
        why.push(`no \`${program.name}\` on PATH`);
        continue;
      }
      const server = await startProgram(program, path, standalone);
      const isReal = program === MONGO_PROGRAMS[0];
      return isReal ? server : { ...server, instead: { of: 'MongoDB', why: why.join(', ') } };
    } catch (thrown) {
      why.push(thrown instanceof NoServer ? thrown.message : `\`${program.name}\` does not work (${wordOf(thrown)})`);
      progress(`MongoDB: ${why.at(-1) ?? ''}`);
    }
  }
  throw new NoServer(`MongoDB: ${why.join(', ')} → install mongod, or Python 3 with venv, or set MONGO_URI`);
};

/** A program is here, or made: whether it works shows when it starts. @throws NoServer with what was tried */
export const findMongo = async (progress: Progress, machine: Machine = thisMachine): Promise<string> => {
  const why: string[] = [];
  for (const program of MONGO_PROGRAMS) {
    try {
      const path = await program.find(progress, machine);
      if (path !== undefined) return path;
      why.push(`no \`${program.name}\` on PATH`);
    } catch (thrown) {
      why.push(wordOf(thrown));
    }
  }
  throw new NoServer(`MongoDB: ${why.join(', ')} → install mongod, or Python 3 with venv, or set MONGO_URI`);
};

/** Without user, password and options. */
const forPeople = (uri: string): string => uri.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/, '');

const named = async (uri: string): Promise<TestServer> => {
  const at = `at MONGO_URI ${forPeople(uri)}`;
  const server = { env: { MONGO_URI: uri }, stop: () => Promise.resolve() };
  try {
    const kind = await kindOf(uri);
    const how = describe(kind).replace(', ', ` ${at}, `);
    return { ...server, how, ...(kind.isMongod ? {} : { instead: { of: 'MongoDB', why: 'MONGO_URI names it' } }) };
  } catch (thrown) {
    // Its tests run all the same: whoever named it wants to see that it is away.
    return { ...server, how: `server ${at}, does not answer (${wordOf(thrown)})` };
  }
};

/** @throws NoServer with what was tried */
export const startMongo = async ({ progress }: { readonly progress: Progress }): Promise<TestServer> => {
  const uri = process.env['MONGO_URI'];
  return uri === undefined || uri === '' ? startOwnMongo({ progress }) : named(uri);
};
