/** A gate that holds up whoever comes to it until the test opens it, and that knows how many came. */
import { expect } from 'vitest';

export interface Gate {
  /** Waits until the gate is open. */
  pass(): Promise<void>;
  open(): void;
  /** Resolves when so many have come to it since it was made, whether it is open or not. */
  reached(count?: number): Promise<void>;
}

export const aGate = (): Gate => {
  let arrived = 0;
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    pass: () => {
      arrived += 1;
      return opened;
    },
    open: () => {
      open();
    },
    reached: (count = 1) => expect.poll(() => arrived, { interval: 5 }).toBe(count),
  };
};
