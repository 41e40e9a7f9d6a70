import { other } from '../../src/model/events/notes.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { type EventRow, eventRow } from '../../src/trace/row.ts';

/** An event as a row: what is not given is unknown or zero; `kind` by number. */
export function rowOf(given: Omit<Partial<EventRow>, 'kind'> & { readonly kind: number }): EventRow {
  return { ...eventRow(other), ...given, kind: vocabulary[given.kind]! };
}
