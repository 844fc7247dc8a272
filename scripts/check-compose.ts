/** The compose files as compose itself reads them: every one that is installed, or one that can be. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { aptInstall } from './apt.ts';
import { canInstall, foldersOf, thisMachine, type Machine, type Progress } from './machine.ts';

const run = promisify(execFile);
const FOLDER = resolve(import.meta.dirname, '../compose');
const EXAMPLE = resolve(FOLDER, '.env.example');
const FILES = ['docker-compose.yml', 'docker-compose.dev.yml'];
/** Without them the real one must refuse to start, and say which. */
const NEEDED = ['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'];

type Compose = readonly [command: string, ...args: string[]];

const KNOWN: readonly Compose[] = [['docker', 'compose'], ['docker-compose']];

/** What the files read comes from the env file alone, not from whoever runs this. */
const environment = (machine: Machine): NodeJS.ProcessEnv => ({
  PATH: foldersOf(machine).join(delimiter),
  HOME: machine.env['HOME'],
});

const installed = async (machine: Machine): Promise<Compose[]> => {
  const found = await Promise.all(
    KNOWN.map(async (compose) => {
      const [command, ...args] = compose;
      return run(command, [...args, 'version'], { env: environment(machine) }).then(
        () => [compose],
        () => [],
      );
    }),
  );
  return found.flat();
};

/** @throws Error with what compose said */
const configOf = async (compose: Compose, file: string, envFile: string): Promise<void> => {
  const [command, ...args] = compose;
  const asked = [...args, '--env-file', envFile, '-f', resolve(FOLDER, file), 'config', '-q'];
  try {
    await run(command, asked, { cwd: FOLDER, env: environment(thisMachine) });
  } catch (thrown) {
    const { stderr = '' } = thrown as { stderr?: string };
    throw new Error(`${compose.join(' ')} refuses ${file}: ${stderr.trim()}`, { cause: thrown });
  }
};

/** What it says when no credentials are set. */
const refusalOf = async (compose: Compose): Promise<string | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-compose-'));
  try {
    const empty = join(folder, '.env');
    await writeFile(empty, '');
    await configOf(compose, 'docker-compose.yml', empty);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const checkWith = async (compose: Compose): Promise<void> => {
  for (const file of FILES) await configOf(compose, file, EXAMPLE);
  const refusal = await refusalOf(compose);
  if (refusal === undefined) throw new Error(`${compose.join(' ')} would start without ${NEEDED.join(' and ')}`);
  if (!NEEDED.some((name) => refusal.includes(name))) throw new Error(`the refusal names no setting: ${refusal}`);
};

/** All that are installed, or else one that is installed now; or the line that says why there is none. */
export const findCompose = async (progress: Progress, machine: Machine): Promise<readonly Compose[] | string> => {
  const found = await installed(machine);
  if (found.length > 0) return found;
  let why = 'only root on Debian or Ubuntu can install one by itself';
  if (await canInstall(machine)) {
    const step = 'no compose found: installing docker-compose';
    progress(step);
    try {
      await aptInstall(
        ['docker-compose'],
        (line) => {
          progress(step, line);
        },
        machine,
      );
      const now = await installed(machine);
      if (now.length > 0) return now;
      why = 'the package docker-compose came, but it does not run';
    } catch (thrown) {
      why = thrown instanceof Error ? thrown.message : String(thrown);
    }
  }
  return `compose files with compose itself: neither \`docker compose\` nor \`docker-compose\` is here (${why}) → install one of them`;
};

/**
 * Returns why it could not be checked, or undefined when it was.
 * @throws Error when a compose file is not valid, or starts without credentials
 */
export const checkCompose = async (progress: Progress = () => undefined): Promise<string | undefined> => {
  const tools = await findCompose(progress, thisMachine);
  if (typeof tools === 'string') return tools;
  for (const compose of tools) {
    progress('checking the compose files', compose.join(' '));
    await checkWith(compose);
  }
  return undefined;
};
