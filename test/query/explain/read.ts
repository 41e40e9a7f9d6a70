// Reads values for the tests of explain.
import assert from 'node:assert/strict';
import { explain, type Reading } from '../../../src/query/explain/explain.ts';

/** The readings of a text. */
export function all(text: string, as?: string): readonly Reading[] {
  const readings = explain(text, as);
  assert.ok(!('refused' in readings), 'refused' in readings ? readings.refused : '');
  return readings;
}

/** Its reading as one kind. */
export const one = (text: string, as: string): Reading => all(text, as)[0]!;
/** The kinds that it fits, the likeliest first. */
export const kinds = (text: string): string[] => all(text).map(({ kind }) => kind);

/** Why it is refused. */
export function refusal(text: string, as?: string): string {
  const readings = explain(text, as);
  assert.ok('refused' in readings, `${text} is read as ${'refused' in readings ? '' : readings[0]?.text}`);
  return readings.refused;
}

/** Checks some fields of a reading. */
export function has(reading: Reading, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) assert.equal(reading.fields[name], value, name);
}
