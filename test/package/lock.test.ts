// A lock file made where some platform's packages could not be seen is refused by npm ci everywhere, and nobody who has
// node_modules already would notice.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/paths.ts';

interface Entry {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

describe('package-lock.json', () => {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, Entry> };

  /** Where Node would look for a package that this one asks for. */
  function places(path: string, name: string): string[] {
    const parts = path === '' ? [] : path.split('/node_modules/');
    const above = parts.map((_, i) => `${parts.slice(0, i + 1).join('/node_modules/')}/node_modules/${name}`);
    return [...above, `node_modules/${name}`];
  }

  it('holds every package that another one asks for, of every platform', () => {
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
        .filter((name) => !places(path, name).some((place) => place in packages))
        .map((name) => `${path} asks for ${name}`),
    );
    assert.deepEqual(missing, []);
  });
});
