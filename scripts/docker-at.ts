/** A dockerode client for an address as DOCKER_HOST has it. */
export { dockerAt } from '../src/adapters/docker/connect.ts';
