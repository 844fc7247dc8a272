/** One kind of job: never twice at once, again when asked meanwhile, again after a pause when it failed. */
export interface LaneOptions {
  /** True: done. False: failed, to be tried again. Never rejects. */
  readonly run: () => Promise<boolean>;
  /** At least this long between two starts, milliseconds. */
  readonly gapMs: number;
  /** Pause after a failure: doubles from the first to the second number, milliseconds. */
  readonly backoffMs: readonly [number, number];
}

export interface Lane {
  request(): void;
  /** No new job from now on; resolves when the running one has ended. */
  stop(): Promise<void>;
}

export const createLane = ({ run, gapMs, backoffMs: [least, most] }: LaneOptions): Lane => {
  let wanted = false;
  let stopped = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let notBefore = 0;
  let pause = least;

  const work = async (): Promise<void> => {
    wanted = false;
    const started = performance.now();
    const done = await run();
    notBefore = done ? started + gapMs : performance.now() + pause;
    pause = done ? least : Math.min(pause * 2, most);
    if (!done) wanted = true;
  };
  const go = (): void => {
    if (stopped || !wanted || running !== undefined || timer !== undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        running = work().finally(() => {
          running = undefined;
          go();
        });
      },
      Math.max(0, notBefore - performance.now()),
    );
  };
  return {
    request() {
      wanted = true;
      go();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
