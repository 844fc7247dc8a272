/**
 * Queries under way at one container whose network is taken away: nothing more comes and nothing says so, TCP least of all. One
 * timer a container looks after the oldest of them, so that they end in seconds and not with their whole time (fault R26).
 */
import type { QueryEndpoint } from '../../ports/query-containers.ts';

export interface FlightWatchOptions {
  readonly endpoint: Pick<QueryEndpoint, 'holds' | 'confirm'>;
  /** The address is another container's by now, or nobody's. Called at most once. */
  readonly onLost: () => void;
  /** A query under way for longer has the address looked at, each time so long, ms. */
  readonly everyMs?: number;
}

export interface FlightWatch {
  /** A query begins; to be called when it ends. Given up: its time was over, or its caller left. */
  begin(): (isGivenUp: boolean) => void;
  close(): void;
}

interface Flight {
  readonly since: number;
}

const EVERY_MS = 500;
const MAX_PAUSE_MS = 4_000;

export const createFlightWatch = ({ endpoint, onLost, everyMs = EVERY_MS }: FlightWatchOptions): FlightWatch => {
  // In the order of their begin: the first is the oldest.
  const flights = new Set<Flight>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let lookedAt = -Infinity;
  let isOver = false;
  const isClosed = (): boolean => isOver;

  /** The longer the oldest takes, the less often: where only the engine can tell, each look is a call. */
  const pauseFor = (now: number): number => {
    const [oldest] = flights;
    return Math.max(everyMs, Math.min(MAX_PAUSE_MS, oldest === undefined ? 0 : (now - oldest.since) / 2));
  };

  const close = (): void => {
    isOver = true;
    clearInterval(timer);
    timer = undefined;
  };

  const look = async (): Promise<void> => {
    const now = performance.now();
    if (isLooking || isOver || now - lookedAt < pauseFor(now)) return;
    isLooking = true;
    lookedAt = now;
    // One look may err, and what the engine does not say is not held against the container: all that is under way hangs on it.
    const isLost = endpoint.holds() !== true && (await endpoint.confirm()) === false;
    isLooking = false;
    if (!isLost || isClosed()) return;
    close();
    onLost();
  };

  const tick = (): void => {
    const [oldest] = flights;
    if (oldest === undefined) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    if (performance.now() - oldest.since >= everyMs) void look();
  };

  return {
    begin() {
      const flight: Flight = { since: performance.now() };
      flights.add(flight);
      if (timer === undefined && !isOver) timer = setInterval(tick, everyMs).unref();
      return (isGivenUp) => {
        flights.delete(flight);
        // Queries with less time than a look takes would never find out.
        if (isGivenUp) void look();
      };
    },
    close,
  };
};
