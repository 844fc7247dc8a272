/** Sends a signal to a process group; 0 only asks. False when nothing of the group is left. */
export const signalGroup = (leader: number | undefined, signal: NodeJS.Signals | 0): boolean => {
  try {
    if (leader === undefined) return false;
    process.kill(-leader, signal);
    return true;
  } catch {
    return false;
  }
};
