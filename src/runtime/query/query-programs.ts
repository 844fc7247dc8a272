/**
 * The query programs of one container, one after the other. Where the runtime has an interpreter, the next one is started before
 * it is needed and waits without having loaded the bot; to the program it is the same as `node <file>` (contract §6.1).
 */
import { fitsVariable, longestValue } from '../../domain/config-size.ts';
import { DroverError } from '../../domain/errors.ts';
import { botEnvironment } from '../bot-environment.ts';
import { programFor } from '../command-for.ts';
import type { RuntimeConfig } from '../config.ts';
import { HOME_OF_QUERIES } from '../home.ts';
import { placeLargeConfig } from '../large-config.ts';
import type { OutputPipes } from './output-pipes.ts';
import { startQueryProgram, type QueryProgram } from './query-program.ts';

export interface QueryPrograms {
  /** Starts the next one, where that is of use, and unless it waits already. Never throws. */
  prestart(): void;
  /** Runs the program with these variables. @throws DroverError SPAWN_FAILED, or as the file system does */
  run(variables: Readonly<Record<string, string>>, started: (program: QueryProgram) => void): Promise<QueryProgram>;
  /** The one that waits. */
  waiting(): number | undefined;
}

const WRAPPERS = '/app/wrappers';
const GATE = 'DROVER_QUERY_GATE';
const TRIES = 2;

interface Gate {
  /** What the interpreter starts with, to find our wrapper. */
  readonly env: Readonly<Record<string, string>>;
  /** As they are in an environment without us; undefined: not there. */
  readonly restored: Readonly<Record<string, string | undefined>>;
}

/** Undefined where there is no interpreter to start beforehand. Pure. */
const gateOf = (runtime: RuntimeConfig['runtime'], env: Readonly<Record<string, string>>): Gate | undefined => {
  const name = { nodejs20: 'NODE_OPTIONS', 'python3.11': 'PYTHONPATH' }[runtime as string];
  if (name === undefined) return undefined;
  const own = env[name];
  const [ours, separator] =
    runtime === 'nodejs20' ? [`--require=${WRAPPERS}/query_node.cjs`, ' '] : [`${WRAPPERS}/query_python`, ':'];
  return {
    env: { [name]: own === undefined ? ours : `${ours}${separator}${own}`, [GATE]: '1' },
    restored: { [name]: own, [GATE]: undefined },
  };
};

/** As the wrappers read it: `NAME=value` sets, `NAME` removes. */
const message = (variables: Readonly<Record<string, string | undefined>>): string =>
  `${Object.entries(variables)
    .map(([name, value]) => (value === undefined ? `${name}\0` : `${name}=${value}\0`))
    .join('')}\0`;

/** @throws DroverError REQUEST_INVALID: a program without an interpreter gets its query in its environment alone */
const requireFitting = (variables: Readonly<Record<string, string>>, runtime: string): void => {
  const { QUERY_PARAMS: params = '' } = variables;
  if (fitsVariable('QUERY_PARAMS', params)) return;
  const most = String(longestValue('QUERY_PARAMS'));
  const size = String(Buffer.byteLength(params));
  throw new DroverError(
    'REQUEST_INVALID',
    `the parameters have ${size} bytes as JSON, and a query program of the runtime ${runtime} can get at most ${most}`,
  );
};

export const createQueryPrograms = (config: RuntimeConfig, pipes: OutputPipes): QueryPrograms => {
  const { runtime, entrypoint, codePath } = config;
  const command = programFor(runtime, entrypoint, codePath);
  const env = { ...botEnvironment(config), ...HOME_OF_QUERIES };
  const gate = gateOf(runtime, env);
  const start = (more: Readonly<Record<string, string>>): QueryProgram =>
    startQueryProgram({
      command,
      cwd: codePath,
      env: { ...env, ...more },
      pipe: pipes.open(),
      gated: gate !== undefined,
    });
  let next: QueryProgram | undefined;

  const takeNext = ({ env: more }: Gate): QueryProgram => {
    const taken = next;
    next = undefined;
    if (taken?.hasEnded() === false) return taken;
    taken?.close();
    return start(more);
  };
  const prestart = (): void => {
    if (gate === undefined) return;
    try {
      next = takeNext(gate);
    } catch {
      // Whoever needs it tries again, and says why it fails.
    }
  };

  return {
    prestart,
    waiting: () => next?.pid,
    async run(variables, started) {
      if (gate === undefined) {
        requireFitting(variables, runtime);
        placeLargeConfig(config);
        const program = start(variables);
        started(program);
        return program;
      }
      const told = message({ ...gate.restored, ...variables });
      for (let tries = 1; ; tries += 1) {
        const program = takeNext(gate);
        started(program);
        // Only now: what waits has read nothing yet, and what an earlier query left behind was taken away meanwhile.
        placeLargeConfig(config);
        const isReleased = await program.release(told);
        if (!isReleased && tries < TRIES) {
          // It died, or was killed, before it knew of a query: that is not this query's fault.
          program.kill();
          program.close();
          continue;
        }
        prestart();
        return program;
      }
    },
  };
};
