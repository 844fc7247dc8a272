/** A unix socket in front of an engine's: cut it, stall replies, or drop a reply after the engine has done the work. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SocketProxy {
  /** As DOCKER_HOST. */
  readonly host: string;
  /** Ends every connection and refuses new ones until `restore`. */
  cut(): void;
  restore(): void;
  /** While set, replies to requests that match are held back for ever. */
  stall: RegExp | undefined;
  /** The reply to the next request that matches is lost after the engine gave it. */
  loseReply: RegExp | undefined;
  /** First lines of all requests so far, in order, and when each came (monotonic ms). */
  requests(): readonly { readonly line: string; readonly at: number }[];
  close(): Promise<void>;
}

export const openSocketProxy = async (target = '/var/run/docker.sock'): Promise<SocketProxy> => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-proxy-'));
  const path = join(folder, 'docker.sock');
  const open = new Set<Socket>();
  const asked: { line: string; at: number }[] = [];
  let refusing = false;
  const proxy = {
    host: `unix://${path}`,
    stall: undefined as RegExp | undefined,
    loseReply: undefined as RegExp | undefined,
  };
  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const engine = createConnection(target);
    let fate: 'pass' | 'hold' | 'lose' = 'pass';
    const end = (): void => {
      open.delete(client);
      client.destroy();
      engine.destroy();
    };
    open.add(client);
    client.on('data', (chunk: Buffer) => {
      const [line = ''] = chunk.toString('latin1').split('\r\n', 1);
      if (/^[A-Z]+ \//.test(line)) {
        fate = 'pass';
        asked.push({ line, at: performance.now() });
        if (proxy.stall?.test(line) === true) fate = 'hold';
        if (proxy.loseReply?.test(line) === true) {
          fate = 'lose';
          proxy.loseReply = undefined;
        }
      }
      engine.write(chunk);
    });
    engine.on('data', (chunk: Buffer) => {
      if (fate === 'pass') client.write(chunk);
      else if (fate === 'lose') end();
    });
    for (const socket of [client, engine]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const endAll = (): void => {
    for (const client of open) client.destroy();
  };
  return Object.assign(proxy, {
    requests: () => asked,
    cut: () => {
      refusing = true;
      endAll();
    },
    restore: () => {
      refusing = false;
    },
    async close() {
      endAll();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  });
};
