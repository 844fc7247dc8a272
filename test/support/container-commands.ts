/** What runs inside a container, as the engine sees it from outside. */
import { docker } from './spine.ts';

export interface Process {
  /** As this host sees it. */
  readonly pid: number;
  readonly command: string;
}

/** Its processes; none of one that does not run. */
export const processesIn = async (container: string): Promise<readonly Process[]> => {
  try {
    const { Processes } = (await docker.getContainer(container).top({ ps_args: '-eo pid,args' })) as {
      readonly Processes: readonly (readonly string[])[];
    };
    return Processes.map(([pid = '', command = '']) => ({ pid: Number(pid), command }));
  } catch (thrown) {
    const { statusCode } = thrown as { readonly statusCode?: number };
    // It has not started yet, or ended meanwhile: the engine has three answers for that.
    if (statusCode === 404 || statusCode === 409 || statusCode === 500) return [];
    throw thrown;
  }
};

/** Their command lines. */
export const commandsIn = async (container: string): Promise<readonly string[]> =>
  (await processesIn(container)).map(({ command }) => command);
