/** Servers that these tests start, and what is seen of those that are not here. */
import { it } from 'vitest';
import { NoServer, standInLine, type TestServer } from '../../scripts/servers/test-server.ts';

/** What was started, or the one line that says why there is none. */
export const startOr = async <T>(start: () => Promise<T>): Promise<T | string> => {
  try {
    return await start();
  } catch (thrown) {
    if (thrown instanceof NoServer) return thrown.message;
    throw thrown;
  }
};

/** What a stand-in could not show is seen among the tests that were left out. */
export const tellStandIn = (server: TestServer): void => {
  const line = standInLine(server);
  if (line !== undefined) it.skip(line);
};
