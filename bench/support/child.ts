/** A process of a bench's own that says in one line of JSON where it listens, and ends with its standard input. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

export interface BenchChild<T> {
  readonly said: T;
  end(): Promise<void>;
}

export const startChild = async <T>(file: string, args: readonly string[]): Promise<BenchChild<T>> => {
  const path = resolve(import.meta.dirname, file);
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((done) =>
    child.once('exit', () => {
      done();
    }),
  );
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      said: JSON.parse(line) as T,
      async end() {
        child.stdin.end();
        await gone;
      },
    };
  }
  throw new Error(`${file} ${args.join(' ')} said nothing`);
};
