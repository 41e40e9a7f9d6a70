// docs/filter.md lists the names that filters know. UPDATE_GOLDEN=1 writes the tables. Its commands are run by test/cli/docs.test.ts.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commonNames } from '../../src/query/filter/names.ts';
import { relationNames } from '../../src/query/filter/related-names.ts';

const file = join(resolve(import.meta.dirname, '../..'), 'docs/filter.md');

const VALUES = {
  number: 'a number',
  time: 'a time',
  span: 'a stretch of time',
  text: 'a text',
  path: 'a path',
  flag: 'a flag',
};

function withSection(text: string, name: string, table: readonly string[]): string {
  const pattern = new RegExp(`(<!-- ${name}: [^>]*-->)[\\s\\S]*?(<!-- /${name} -->)`);
  assert.match(text, pattern);
  return text.replace(pattern, (_all, open: string, close: string) => [open, ...table, close].join('\n'));
}

describe('docs/filter.md', () => {
  it('lists the names of what events tell, and the related objects', () => {
    const text = readFileSync(file, 'utf8');
    const names = Object.entries(commonNames).map(
      ([name, { type, what }]) => `| \`${name}\` | ${VALUES[type]}: ${what} |`,
    );
    const related = Object.entries(relationNames).map(([name, { what, types }]) => {
      const keys = name === 'object' ? 'of any type' : types.map((type) => `\`${type.name}\``).join(' ');
      return `| \`${name}.KEY\` | ${what} | ${keys} |`;
    });
    const wanted = withSection(
      withSection(text, 'names', ['', '| name | value |', '|---|---|', ...names, '']),
      'related',
      ['', '| name | the object | types |', '|---|---|---|', ...related, ''],
    );
    if (process.env['UPDATE_GOLDEN'] && wanted !== text) writeFileSync(file, wanted);
    assert.equal(process.env['UPDATE_GOLDEN'] ? wanted : text, wanted);
  });
});
