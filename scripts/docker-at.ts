/** A dockerode client for an address as DOCKER_HOST has it: `unix:///…` or `tcp://host:port`. */
import Docker from 'dockerode';

export const dockerAt = (host: string): Docker => {
  if (host.startsWith('unix://')) return new Docker({ socketPath: host.slice('unix://'.length) });
  const { hostname, port } = new URL(host);
  return new Docker({ host: hostname, port: Number(port === '' ? 2375 : port) });
};
