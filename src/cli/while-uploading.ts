/** A large upload takes its time: people at a terminal see that something happens. */
import { sizeText } from '../domain/code-limits.ts';
import type { Io } from './io.ts';

const LARGE_BYTES = 8 * 1024 ** 2;

export const whileUploading = async <T>(io: Io, bytes: number, upload: () => Promise<T>): Promise<T> => {
  if (!io.isTerminal || bytes < LARGE_BYTES) return upload();
  const { default: ora } = await import('ora');
  const spinner = ora(`uploading ${sizeText(bytes)} of code`).start();
  try {
    return await upload();
  } finally {
    spinner.stop();
  }
};
