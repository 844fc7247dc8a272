/** The mark of the run of tests, so that nothing is left on the engine when the run is cut off: scripts/test-run.ts. */
import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { installPrefix, RUN_LABEL } from '../../scripts/test-run.ts';

const mark = process.env['TEST_RUN'] ?? '';

/** INSTALL_ID takes no more characters. */
const LONGEST = 16;

/** The name of an install that nobody else has. */
export const newInstall = (): string => `${installPrefix(mark)}${randomBytes(4).toString('hex')}`.slice(0, LONGEST);

const labelled = (labels: Readonly<Record<string, string>> = {}) => ({ Labels: { ...labels, [RUN_LABEL]: mark } });

/** The same client; what is made by it belongs to the run. */
export const markAll = (docker: Docker): Docker => {
  const createContainer = docker.createContainer.bind(docker);
  const createNetwork = docker.createNetwork.bind(docker);
  return Object.assign(docker, {
    createContainer: (options: Docker.ContainerCreateOptions) =>
      createContainer({ ...options, ...labelled(options.Labels) }),
    createNetwork: (options: Docker.NetworkCreateOptions) => createNetwork({ ...options, ...labelled(options.Labels) }),
  });
};
