/**
 * Packages of Debian and Ubuntu. One `apt-get` at a time in this process; when another process holds a lock, it is waited
 * for: `DPkg::Lock::Timeout` covers the locks of dpkg, not those of the lists and of the archives.
 */
import { thisMachine, CommandFailed, runCommand, type CommandOptions, type Machine } from './machine.ts';
import { until } from './until.ts';

type Tell = (line: string) => void;

const LOCKED = /Could not get lock|Unable to (?:acquire|lock)|is another process using it/;
const INTERRUPTED = /dpkg was interrupted/;
const LOCK_SECONDS = '600';

interface State {
  tail: Promise<unknown>;
  /** Of the one update of a run. */
  updated: Promise<void> | undefined;
}

const states = new WeakMap<Machine, State>();

const stateOf = (machine: Machine): State => {
  const state = states.get(machine) ?? { tail: Promise.resolve(), updated: undefined };
  states.set(machine, state);
  return state;
};

const inTurn = <T>(machine: Machine, work: () => Promise<T>): Promise<T> => {
  const state = stateOf(machine);
  const result = state.tail.then(work);
  state.tail = result.catch(() => undefined);
  return result;
};

/** @throws CommandFailed */
const aptGet = async (
  args: readonly string[],
  tell: Tell,
  options: CommandOptions,
  machine: Machine,
): Promise<void> => {
  let repaired = false;
  await until(
    async () => {
      try {
        await runCommand('apt-get', ['-o', `DPkg::Lock::Timeout=${LOCK_SECONDS}`, ...args], tell, {
          ...options,
          machine,
        });
        return true;
      } catch (thrown) {
        const output = thrown instanceof CommandFailed ? thrown.output : '';
        if (INTERRUPTED.test(output) && !repaired) {
          // An installation that was killed half way.
          repaired = true;
          await runCommand('dpkg', ['--configure', '-a'], tell, { machine });
          return false;
        }
        if (!LOCKED.test(output)) throw thrown;
        tell('another process holds the lock of apt-get: waiting for it');
        return false;
      }
    },
    {
      within: machine.lockWithinMs,
      every: machine.lockRetryMs,
      otherwise: () => `apt-get ${args.join(' ')}: another process holds the lock`,
    },
  );
};

/** With the lists that are here; only if that fails, with new ones, which are fetched once a run. */
const withLists = async (machine: Machine, tell: Tell, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (first) {
    const state = stateOf(machine);
    const isFirst = state.updated === undefined;
    state.updated ??= aptGet(['update'], tell, {}, machine);
    // What was updated before this attempt began was of no use to it.
    if (!isFirst) throw first;
    await state.updated;
    await work();
  }
};

/** @throws CommandFailed */
export const aptInstall = (packages: readonly string[], tell: Tell, machine: Machine = thisMachine): Promise<void> =>
  inTurn(machine, () =>
    withLists(machine, tell, () =>
      aptGet(['install', '-y', '--no-install-recommends', ...packages], tell, {}, machine),
    ),
  );

/** The package's file into the folder, and nothing is installed. @throws CommandFailed */
export const aptDownload = (name: string, cwd: string, tell: Tell, machine: Machine = thisMachine): Promise<void> =>
  inTurn(machine, () => withLists(machine, tell, () => aptGet(['download', name], tell, { cwd }, machine)));
