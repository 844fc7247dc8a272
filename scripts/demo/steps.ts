/** The steps of the story: named, timed, told as they pass, and drawn as a table in the end. */
import Table from 'cli-table3';
import pc from 'picocolors';

interface Step {
  readonly name: string;
  readonly what: string;
  readonly ms: number;
  readonly ok: boolean;
  readonly result: string;
}

export const createSteps = () => {
  const steps: Step[] = [];
  return {
    /** Runs one step; what it returns as text is shown in the table. @throws as the step does */
    async run<T>(name: string, what: string, work: () => Promise<T>): Promise<T> {
      console.log(`\n${pc.bold(pc.cyan(`▸ ${name}`))} ${what}`);
      const begun = performance.now();
      const add = (ok: boolean, result: string): void => {
        steps.push({ name, what, ms: performance.now() - begun, ok, result });
      };
      try {
        const result = await work();
        add(true, typeof result === 'string' ? result : 'done');
        return result;
      } catch (error) {
        add(false, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
        throw error;
      }
    },
    failedAt: () => steps.find(({ ok }) => !ok)?.name,
    table(): string {
      const table = new Table({ head: ['step', 'what happened', 'result', 'took'], style: { head: [], border: [] } });
      for (const { name, what, ms, ok, result } of steps) {
        table.push([ok ? pc.green(name) : pc.red(name), what, result.slice(0, 60), `${(ms / 1_000).toFixed(2)} s`]);
      }
      return `\n${table.toString()}`;
    },
  };
};
