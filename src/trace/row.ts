import type { ObjectId } from '../base/ids.ts';
import type { EventKind } from '../model/event.ts';

/**
 * One event on its way into a table or out of one. A row is reused from event to event: callers copy what they keep.
 * `apply` reads its object, CPU and arguments.
 */
export interface EventRow {
  kind: EventKind;
  /** Units since the base of the clock (see TimeBase), NaN unknown. */
  time: number;
  /** CPU that the record names, or -1. */
  cpu: number;
  /** Number of the object in the world. */
  object: ObjectId;
  /** Who recorded it (thread or comm-pid): text number, 0 unknown. */
  task: number;
  /** Line in the source, from 1. */
  line: number;
  /** Byte offset in the uncompressed source. */
  offset: number;
  /** The words of the arguments, in the layout of the kind, start at index `at`. */
  words: Uint32Array;
  at: number;
  /** Arguments that this version does not know, as they stand in a trace file (`name=value name=value`): text number, 0 none. */
  extra: number;
}

/** The value (of several words the lowest) of an argument by its name; undefined when the event lacks it or its kind has none. */
export function argumentOf(row: EventRow, name: string): number | undefined {
  const { kind, words, at } = row;
  if (kind.at[name] === undefined) return undefined;
  for (const spec of kind.args)
    if (spec.name === name) return spec.optional && (words[at]! & spec.bit) === 0 ? undefined : words[at + spec.at]!;
  return undefined;
}

/** Largest number of a CPU that a table keeps; Linux has 8192 CPUs at most (CONFIG_NR_CPUS). */
export const MOST_CPU = 32767;

/** Most argument words that an event kind may have. */
export const MOST_WORDS = 64;

/** A row with room for the arguments of any kind. */
export function eventRow(kind: EventKind): EventRow {
  return {
    kind,
    time: Number.NaN,
    cpu: -1,
    object: 0,
    task: 0,
    line: 0,
    offset: 0,
    words: new Uint32Array(MOST_WORDS),
    at: 0,
    extra: 0,
  };
}
