// Where things lie, for every script.
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root = dirname(import.meta.dirname);
export const dist = join(root, 'dist');
export const results = join(root, 'test-results');

/** The capture that `npm start` opens when it is given no file. */
export const exampleTrace = join(root, 'examples', 'x86-vtd-qemu.log');

/** Large downloads live here, outside the clone, so that a new clone need not fetch them again. */
export function cacheDir(): string {
  const own = process.env.IRQSCOPE_CACHE;
  if (own) return resolve(own);
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg ? resolve(xdg) : join(homedir(), '.cache'), 'irqscope');
}
