export const stateCommand = (_args: readonly string[]): Promise<number> => Promise.resolve(0);
