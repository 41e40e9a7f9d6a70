import { readFileSync } from 'node:fs';

/** The version in package.json, which lies above dist/ and above src/cli/. */
export function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (name === 'irqscope' && found !== undefined) return found;
    } catch {
      // It is not here: try the next place.
    }
  }
  return 'unknown';
}
