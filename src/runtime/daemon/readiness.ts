/** `--readiness-port`: answers 200 to anything once the daemon runs. */
import { createServer } from 'node:http';

export const openReadiness = (port: number): { close(): void } => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
  });
  server.on('error', (error) => {
    process.stderr.write(`drover: the readiness port ${String(port)} cannot be used: ${error.message}\n`);
  });
  server.listen(port).unref();
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
};
