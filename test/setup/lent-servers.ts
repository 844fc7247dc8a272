/**
 * Lends each set of servers to one worker process at a time. The number that the test runner gives to a worker
 * (`VITEST_POOL_ID`) does not serve: where one group of projects follows another, vitest 4.1 frees a number of the first group
 * once more, and then two files run with the same number.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

type Env = Readonly<Record<string, string>>;

/** How a worker reaches the lender: a port on the loopback address, and a word that only workers of this run know. */
export interface Lender {
  readonly port: number;
  readonly word: string;
}

export interface LentServers {
  readonly lender: Lender;
  close(): Promise<void>;
}

/** A set is lent as long as the connection of its borrower is open: a process that was killed gives its set back, too. */
export const lendServers = async (sets: readonly Env[]): Promise<LentServers> => {
  const free = [...sets];
  const waiting: Socket[] = [];
  const open = new Set<Socket>();
  const lend = (): void => {
    while (free.length > 0 && waiting.length > 0) {
      const [set] = free.splice(0, 1);
      const [borrower] = waiting.splice(0, 1);
      if (set === undefined || borrower === undefined) return;
      borrower.once('close', () => {
        free.push(set);
        lend();
      });
      borrower.write(`${JSON.stringify(set)}\n`);
    }
  };
  const word = randomBytes(16).toString('hex');
  const server = createServer((borrower) => {
    open.add(borrower);
    borrower
      .on('error', () => undefined)
      .on('close', () => {
        open.delete(borrower);
        const place = waiting.indexOf(borrower);
        if (place !== -1) waiting.splice(place, 1);
      });
    createInterface(borrower).once('line', (said) => {
      if (said !== word) {
        borrower.destroy();
        return;
      }
      waiting.push(borrower);
      lend();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    lender: { port: (server.address() as AddressInfo).port, word },
    close: async () => {
      for (const borrower of open) borrower.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};

export interface BorrowedServers {
  readonly env: Env;
  giveBack(): void;
}

/**
 * Resolves once a set is free; it is this process's own until the process ends, or gives it back.
 * @throws Error when the run is over
 */
export const borrowServers = async ({ port, word }: Lender): Promise<BorrowedServers> => {
  const lender = connect(port, '127.0.0.1');
  lender.write(`${word}\n`);
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(lender).once('line', resolve);
    lender.once('close', () => {
      reject(new Error('the servers of this run are gone'));
    });
    // Its close comes after it.
    lender.on('error', () => undefined);
  });
  // A process shall not live on for this connection alone.
  lender.unref();
  return { env: JSON.parse(line) as Env, giveBack: () => lender.destroy() };
};
