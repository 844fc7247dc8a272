/** An HTTP port in front of a server that answers some requests itself, with 503, as a server does that has too much to do. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FailingHttp {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** Share of requests that get 503, 0 to 1. */
  share: number;
  /** How many did. */
  failed: number;
  close(): Promise<void>;
}

const BODY = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>';

/** `target`: `host:port`. Names and signatures go on as they are. */
export const openFailingHttp = async (target: string): Promise<FailingHttp> => {
  const [host = '127.0.0.1', port = ''] = target.split(':');
  const agent = new http.Agent({ keepAlive: true });
  const state = { share: 0, failed: 0 };
  const server = http.createServer((asked, answer) => {
    if (Math.random() < state.share) {
      state.failed += 1;
      asked.resume();
      answer.writeHead(503, { 'Content-Type': 'application/xml' }).end(BODY);
      return;
    }
    const { method, url: path, headers } = asked;
    const on = http.request({ host, port, method, path, headers, agent }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    on.on('error', () => answer.destroy());
    asked.pipe(on);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          agent.destroy();
          resolve();
        });
        server.closeAllConnections();
      }),
  });
};
