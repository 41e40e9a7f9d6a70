// CHANGELOG.md keeps the form of keepachangelog.com 1.1.0: versions with dates, the newest first, changes by kind.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/paths.ts';

const lines = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split('\n');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

describe('changelog', () => {
  const headings = lines.filter((line) => line.startsWith('## '));

  it('begins with its title and with what is not released yet', () => {
    assert.equal(lines[0], '# Changelog');
    assert.equal(headings[0], '## [Unreleased]');
  });

  it('lists the versions with their dates, the newest first; the newest is that of the package', () => {
    const found = headings.slice(1).map((line) => /^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$/.exec(line));
    assert.equal(found[0]?.[1], version);
    for (const [i, m] of found.entries()) {
      assert.ok(m, headings[i + 1]);
      assert.equal(new Date(m[2]!).toISOString().slice(0, 10), m[2]);
      if (i > 0) assert.ok(m[2]! <= found[i - 1]![2]!, m[1]);
    }
  });

  it('sorts the changes of a version by kind; every kind occurs once and has a change', () => {
    let seen: string[] = [];
    for (const [i, line] of lines.entries()) {
      if (line.startsWith('## ')) seen = [];
      if (line.startsWith('### ')) {
        const kind = line.slice(4);
        assert.ok(KINDS.includes(kind), line);
        assert.ok(!seen.includes(kind), `${kind} twice, line ${i + 1}`);
        seen.push(kind);
        assert.match(lines[i + 2] ?? '', /^- /, line);
      }
      if (line.startsWith('- ')) assert.ok(seen.length > 0, `a change without a kind, line ${i + 1}`);
    }
  });
});
