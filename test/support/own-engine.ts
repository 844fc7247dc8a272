/** An engine of a test's own, which may be killed and started again. Takes root. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { dockerAt } from '../../scripts/docker-at.ts';
import { until } from '../../scripts/until.ts';
import { docker, IMAGE } from './spine.ts';

export interface OwnEngine {
  readonly host: string;
  readonly docker: Docker;
  /** Resolves when it is gone. SIGTERM: it stops its containers in order; SIGKILL: it has no time for that. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** For good, with all that it has. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 120_000;

export const startOwnEngine = async (options: { readonly liveRestore?: boolean } = {}): Promise<OwnEngine> => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-engine-'));
  const at = (name: string): string => join(folder, name);
  const host = `unix://${at('sock')}`;
  const own = dockerAt(host);
  let engine: ChildProcess | undefined;
  const isGone = (): boolean => engine === undefined || engine.exitCode !== null || engine.signalCode !== null;
  const run = (): void => {
    // In a network of its own: an engine takes the bridges of this machine for its own, and removes them.
    const network = ['--net', 'dockerd', '--bridge', 'none'];
    const paths = ['--data-root', at('root'), '--exec-root', at('exec'), '-H', host, '--pidfile', at('pid')];
    const more = options.liveRestore === true ? ['--live-restore'] : [];
    engine = spawn('unshare', [...network, ...paths, ...more], { stdio: 'ignore' });
  };
  const self: OwnEngine = {
    host,
    docker: own,
    async end(signal) {
      engine?.kill(signal);
      await until(() => (isGone() ? true : undefined), {
        within: TIMEOUT_MS,
        otherwise: () => 'the engine does not end',
      });
    },
    async start() {
      const answers = async (): Promise<true | undefined> => {
        // After a kill its containerd is still there for a while, and it gives up: whoever keeps it starts it again.
        if (isGone()) run();
        return (await own.ping().then(Boolean, () => false)) ? true : undefined;
      };
      await until(answers, { within: TIMEOUT_MS, every: 200, otherwise: () => 'the engine does not answer' });
    },
    async close() {
      // With live restore they would go on without it.
      if (isGone()) await self.start();
      const left = await own.listContainers({ all: true });
      await Promise.all(left.map(({ Id }) => own.getContainer(Id).remove({ force: true })));
      await self.end('SIGTERM');
      try {
        process.kill(Number(readFileSync(at('exec/containerd/containerd.pid'), 'utf8')), 'SIGKILL');
      } catch {
        // It ended with its engine.
      }
      const mounts = readFileSync('/proc/mounts', 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[1] ?? '');
      for (const mount of mounts.filter((path) => path.startsWith(folder)).reverse())
        execFileSync('umount', ['-l', mount]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await self.start();
  const image = await docker.getImage(IMAGE).get();
  await new Promise<void>((resolve, reject) => {
    void own.loadImage(image).then((stream) => {
      stream.on('end', resolve).on('error', reject).resume();
    }, reject);
  });
  return self;
};
