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

export const createFlightWatch = ({ endpoint, onLost, everyMs = EVERY_MS }: FlightWatchOptions): FlightWatch => {
  // In the order of their begin: the first is the oldest.
  const flights = new Set<Flight>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let lookedAt = -Infinity;
  let isOver = false;
  const isClosed = (): boolean => isOver;

  const close = (): void => {
    isOver = true;
    clearInterval(timer);
    timer = undefined;
  };

  const look = async (): Promise<void> => {
    const now = performance.now();
    if (isLooking || isOver || now - lookedAt < everyMs) return;
    isLooking = true;
    lookedAt = now;
    // What the engine does not say is not held against the container.
    const holds = endpoint.holds() ?? (await endpoint.confirm());
    isLooking = false;
    if (holds !== false || isClosed()) return;
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
