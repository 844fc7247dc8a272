/** A header of every answer of a drover, so that the command line does not take another program for one. */
export const DROVER_HEADER = 'x-drover';
