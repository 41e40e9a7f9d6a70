// What the documents point to is there.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../../scripts/paths.ts';

const documents = ['.', 'docs', 'src', 'test/fixtures'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

describe('documents', () => {
  it('include those that a newcomer reads', () => {
    for (const name of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/cli.md'])
      assert.ok(documents.includes(name));
  });

  for (const document of documents) {
    it(`${document} names only files that exist`, () => {
      const text = readFileSync(join(root, document), 'utf8');
      const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!.replace(/#.*/, ''));
      const files = targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
      assert.deepEqual(
        files.filter((file) => !existsSync(join(root, dirname(document), file))),
        [],
      );
    });

    it(`${document} names only source files that exist`, () => {
      const text = readFileSync(join(root, document), 'utf8');
      // `src/sim/machine.ts`, or `sim/machine.ts` and `test/x.test.ts` where the folder is clear.
      const named = [...text.matchAll(/(?<![\w./*-])((?:[a-z][\w-]*\/)+[\w.-]+\.ts)\b/g)].map((match) => match[1]!);
      assert.deepEqual(
        named.filter((file) => !['', 'src'].some((folder) => existsSync(join(root, folder, file)))),
        [],
      );
    });
  }
});
