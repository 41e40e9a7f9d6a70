import type { ObjectId, TextId } from '../base/ids.ts';
import { type Slices, whole } from '../base/slices.ts';
import type { EventKind } from '../model/event.ts';
import type { Namespace } from '../model/namespace.ts';
import { vocabulary } from '../model/vocabulary.ts';
import type { World } from '../model/world.ts';
import { eventRow, MOST_WORDS } from './row.ts';
import { Source } from './source.ts';

/** Words of a kind that hold the number of an object or a text, and the bit of word 0 without which they hold nothing. */
interface Names {
  readonly objects: readonly Place[];
  readonly texts: readonly Place[];
}

interface Place {
  readonly at: number;
  readonly bit: number;
}

const NOT_YET = 0xffffffff;

/**
 * Takes a source that was read into a world of its own over into one system of another world: the events name the objects and texts
 * of that world. Accounting and facts are shared, columns are copied. Objects that carry the name of a system keep it; the others
 * become objects of `into`.
 */
export const adopt = (source: Source, from: World, into: Namespace): Source => whole(adopting(source, from, into));

/** Events that one slice takes over. */
const SLICE = 1 << 15;

/** The same in slices. */
export function* adopting(source: Source, from: World, into: Namespace): Slices<Source> {
  const copy = new Source(source.facts, source.accounting);
  const objectOf = objectMap(from, into);
  const textOf = textMap(from, into);
  const names = vocabulary.map(namesOf);
  const read = eventRow(vocabulary[0]!);
  const write = eventRow(vocabulary[0]!);
  const words = new Uint32Array(MOST_WORDS);
  write.words = words;
  const { events } = source;
  for (let row = 0; row < events.length; row++) {
    events.read(row, read);
    const { kind, at } = read;
    for (let i = 0; i < kind.size; i++) words[i] = read.words[at + i]!;
    const { objects, texts } = names[kind.number]!;
    for (const { at: word, bit } of objects)
      if (bit === 0 || (words[0]! & bit) !== 0) words[word] = objectOf(words[word]!);
    for (const { at: word, bit } of texts) if (bit === 0 || (words[0]! & bit) !== 0) words[word] = textOf(words[word]!);
    write.kind = kind;
    write.time = read.time;
    write.cpu = read.cpu;
    write.object = objectOf(read.object);
    write.task = textOf(read.task);
    write.line = read.line;
    write.offset = read.offset;
    write.extra = textOf(read.extra);
    copy.events.push(write);
    if (row % SLICE === SLICE - 1) yield;
  }
  return copy;
}

function namesOf({ args }: EventKind): Names {
  const places = (type: string): Place[] => args.filter((a) => a.type === type).map(({ at, bit }) => ({ at, bit }));
  return { objects: places('o'), texts: places('s') };
}

/** Objects by their number in the world that they come from. One that this world does not have stays what it is: damage. */
function objectMap(from: World, into: Namespace): (object: ObjectId) => ObjectId {
  const known = new Uint32Array(from.objects).fill(NOT_YET);
  const make = (object: ObjectId): ObjectId => {
    const node = from.node(object)!;
    const type = from.type(object)!;
    return node.space === from.first ? into.object(type, node.path) : into.world.object(type, node.path);
  };
  return (object) => {
    if (object >= known.length) return object;
    if (known[object] === NOT_YET) known[object] = make(object);
    return known[object]!;
  };
}

/** Texts by their number in the world that they come from. */
function textMap(from: World, into: Namespace): (text: TextId) => TextId {
  const known = new Uint32Array(from.strings.size).fill(NOT_YET);
  return (text) => {
    if (text >= known.length) return text;
    if (known[text] === NOT_YET) known[text] = into.strings.intern(from.strings.text(text));
    return known[text]!;
  };
}
