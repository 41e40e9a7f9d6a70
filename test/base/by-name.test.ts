import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { byName } from '../../src/base/by-name.ts';

const root = resolve(import.meta.dirname, '../..');

/** Names that every object of the language has a member for. */
const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];

describe('tables that are asked by name', () => {
  it('have the names that they were made with, and no others', () => {
    const table = byName({ a: 1, b: 0 });
    assert.deepEqual([table['a'], table['b']], [1, 0]);
    for (const name of INHERITED) {
      assert.equal(table[name], undefined, name);
      assert.equal(name in table, false, name);
    }
  });

  it('are made by byName() wherever the rooms hold one', () => {
    const files = ['src', 'webview'].flatMap((dir) =>
      readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(dir, file)),
    );
    const tables = files.flatMap((file) =>
      [
        ...readFileSync(join(root, file), 'utf8').matchAll(
          /^(?:export )?const (\w+): [^=\n]*Record<string, .*= *(.*)$/gm,
        ),
      ].map(([, name, value]) => ({ name: `${file}: ${name}`, value: value! })),
    );
    assert.ok(tables.length > 20, 'tables that are found at all');
    assert.deepEqual(
      tables.filter(({ value }) => value.startsWith('{')).map(({ name }) => name),
      [],
    );
  });
});
