// docs/trace-format.md lists the objects and events as src/model describes them. UPDATE_GOLDEN=1 writes the tables.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROLES } from '../../src/model/event.ts';
import type { ArgType } from '../../src/model/event-args.ts';
import { pathTypes } from '../../src/model/paths.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { derivedKeys } from '../../src/query/view.ts';

const file = join(resolve(import.meta.dirname, '../..'), 'docs/trace-format.md');

const TYPES: Record<ArgType, string> = {
  u: 'number',
  i: 'signed',
  x: 'hex',
  xx: 'hex, 64 bits',
  xxxx: 'hex, 128 bits',
  flag: 'flag',
  s: 'text',
  o: 'object',
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

function objects(): string {
  const rows = pathTypes.map(([pattern, type]) => {
    const keys = [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
    return `| \`${pattern}\` | ${cell(type.meaning)} | ${keys.map((k) => `\`${k}\``).join(' ')} |`;
  });
  return ['| path | what it is | keys |', '|---|---|---|', ...rows].join('\n');
}

function events(): string {
  const rows = vocabulary.map((kind) => {
    const args = kind.args.map((a) => `\`${a.name}\` ${TYPES[a.type]}${a.optional ? ', optional' : ''}`);
    return `| \`${kind.name}\` | ${kind.role} | ${cell(kind.meaning)} | ${args.join('; ')} |`;
  });
  return ['| kind | role | what it says | arguments |', '|---|---|---|---|', ...rows].join('\n');
}

function roles(): string {
  return ['| role | its events |', '|---|---|', ...Object.entries(ROLES).map(([r, m]) => `| ${r} | ${cell(m)} |`)].join(
    '\n',
  );
}

function withSection(text: string, name: string, table: string): string {
  const pattern = new RegExp(`(<!-- ${name}: [^>]*-->)[\\s\\S]*?(<!-- /${name} -->)`);
  assert.match(text, pattern);
  return text.replace(pattern, (_all, open: string, close: string) => `${open}\n${table}\n${close}`);
}

describe('docs/trace-format.md', () => {
  it('lists the objects and events that the model describes', () => {
    const text = readFileSync(file, 'utf8');
    const named = withSection(withSection(text, 'objects', objects()), 'events', events());
    const wanted = withSection(named, 'roles', roles());
    if (process.env['UPDATE_GOLDEN'] && wanted !== text) writeFileSync(file, wanted);
    assert.equal(process.env['UPDATE_GOLDEN'] ? wanted : text, wanted);
  });

  it('every kind and every key says what it means', () => {
    for (const kind of vocabulary) assert.match(kind.meaning, /^[A-Z].{8,}[.?]$/s, kind.name);
    for (const [pattern, type] of pathTypes) {
      for (const c of type.cells) assert.match(c.meaning, /^\S.{5,}\.$/s, `${pattern} ${c.name}`);
    }
  });

  it('no two kinds share a name, and an event takes at most 64 words', () => {
    assert.equal(new Set(vocabulary.map((k) => k.name)).size, vocabulary.length);
    for (const kind of vocabulary) assert.ok(kind.size <= 64, kind.name);
  });
});
