// Texts that count what is left over say `1 more event`: `counted` and `noun` know how.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
/** A limit that is never 1. */
const LIMITS = ['#most'];

describe('texts that count what is left over', () => {
  for (const room of ['src', 'webview'])
    it(`of ${room} know one from several`, () => {
      const files = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
      const wrong = files
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) =>
          [...readFileSync(join(root, room, name), 'utf8').matchAll(/\$\{([^{}]*)\} (?:more|further|other) [a-z]+s\b/g)]
            .filter(([, what]) => !LIMITS.some((limit) => what!.endsWith(limit)))
            .map(([text]) => `${room}/${name}: ${text}`),
        );
      assert.deepEqual(wrong, []);
    });
});
