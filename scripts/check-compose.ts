/** The compose files as compose itself reads them: every one that is installed, or one that can be. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { canInstall, runTold, type Progress } from './base-image.ts';

const run = promisify(execFile);
const FOLDER = resolve(import.meta.dirname, '../compose');
const EXAMPLE = resolve(FOLDER, '.env.example');
const FILES = ['docker-compose.yml', 'docker-compose.dev.yml'];
/** Without them the real one must refuse to start, and say which. */
const NEEDED = ['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'];

type Compose = readonly [command: string, ...args: string[]];

const KNOWN: readonly Compose[] = [['docker', 'compose'], ['docker-compose']];

/** What the files read comes from the env file alone, not from whoever runs this. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: process.env['HOME'] });

const installed = async (): Promise<Compose[]> => {
  const found = await Promise.all(
    KNOWN.map(async (compose) => {
      const [command, ...args] = compose;
      return run(command, [...args, 'version']).then(
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
    await run(command, asked, { cwd: FOLDER, env: environment() });
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

/**
 * Returns why it could not be checked, or undefined when it was.
 * @throws Error when a compose file is not valid, or starts without credentials
 */
export const checkCompose = async (progress: Progress = () => undefined): Promise<string | undefined> => {
  let tools = await installed();
  if (tools.length === 0 && (await canInstall())) {
    const told = (line: string): void => {
      progress('no compose found: installing docker-compose', line);
    };
    try {
      await runTold('apt-get', ['update'], told);
      await runTold('apt-get', ['install', '-y', '--no-install-recommends', 'docker-compose'], told);
    } catch {
      // Named below.
    }
    tools = await installed();
  }
  if (tools.length === 0) {
    return 'compose files with compose itself: neither `docker compose` nor `docker-compose` is here → install one of them';
  }
  for (const compose of tools) {
    progress('checking the compose files', compose.join(' '));
    await checkWith(compose);
  }
  return undefined;
};
