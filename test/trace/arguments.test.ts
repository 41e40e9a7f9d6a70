// Arguments of events, for every kind of the vocabulary: what the writer was given is what the reader reads and what the
// text of a trace file says, and an optional argument that was not given is absent, whatever stood there before.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { textOf } from '../../src/base/bytes.ts';
import type { EventKind } from '../../src/model/event.ts';
import type { ArgSpec, Written } from '../../src/model/event-args.ts';
import { irqEntry } from '../../src/model/events/irq.ts';
import { msgSend, tblWrite } from '../../src/model/events/msix.ts';
import { other } from '../../src/model/events/notes.ts';
import { mention } from '../../src/model/things/pci.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { TraceBuilder } from '../../src/trace/builder.ts';
import { irqtraceBytes } from '../../src/trace/irqtrace.ts';
import { importBytes } from '../helpers/fixtures.ts';

/** A kind as a test uses it that goes through all of them. */
type AnyKind = EventKind & {
  put(): Record<string, (...value: unknown[]) => unknown>;
  read(words: Uint32Array, at: number): Record<string, unknown> & { readonly has: Record<string, boolean> };
};
const kinds = vocabulary as readonly EventKind[] as readonly AnyKind[];

/** Random words of one argument; undefined: it is not given. */
type Given = readonly number[] | undefined;

const TEXTS = ['eth0-rx-0', 'a text with blanks', '"', 'x=1', '', 'ü'];
const OBJECTS = ['irq/41', 'device/0000:00:03.0/msix/0', 'a path/with blanks'];

/** The words of an argument as its type allows them, from any words. */
function fitting(arg: ArgSpec, words: readonly number[]): readonly number[] {
  if (arg.type === 'flag') return [words[0]! & 1];
  if (arg.type === 's') return [words[0]! % TEXTS.length];
  if (arg.type === 'o') return [words[0]! % OBJECTS.length];
  return words.slice(0, arg.words);
}

const word = fc.oneof(
  fc.constantFrom(0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const value = fc.option(fc.array(word, { minLength: 4, maxLength: 4 }), { nil: undefined, freq: 2 });

/** What a setter is called with. */
function setterValues(
  arg: ArgSpec,
  words: readonly number[],
  texts: readonly number[],
  objects: readonly number[],
): unknown[] {
  if (arg.type === 'flag') return [words[0] === 1];
  if (arg.type === 's') return [texts[words[0]!]];
  if (arg.type === 'o') return [objects[words[0]!]];
  return arg.type === 'i' ? [words[0]! | 0] : [...words];
}

/** The text of an argument in a trace file (docs/trace-format.md). */
function fileText(arg: ArgSpec, words: readonly number[]): string {
  const quoted = (text: string): string => (/^[^\s"#=\\]+$/.test(text) && text !== '-' ? text : JSON.stringify(text));
  switch (arg.type) {
    case 'flag':
      return String(words[0] === 1);
    case 's':
      return quoted(TEXTS[words[0]!]!);
    case 'o':
      return quoted(OBJECTS[words[0]!]!);
    case 'u':
      return String(words[0]);
    case 'i':
      return String(words[0]! | 0);
    default:
      return `0x${words.reduceRight((sum, w) => sum * 0x100000000n + BigInt(w), 0n).toString(16)}`;
  }
}

/** Checks that a reader reads just what was given. */
function checkReader(
  kind: AnyKind,
  words: Uint32Array,
  at: number,
  given: readonly Given[],
  expected: (arg: ArgSpec, w: readonly number[]) => unknown[],
): void {
  const read = kind.read(words, at);
  for (const [i, arg] of kind.args.entries()) {
    const want = given[i];
    const what = `${kind.name}.${arg.name}`;
    if (arg.optional) assert.equal(read.has[arg.name], want !== undefined, `${what} is there`);
    const got = read[arg.name];
    if (arg.words > 1) {
      const words = Array.from({ length: arg.words }, (_, w) => (got as (w: number) => number)(w));
      assert.deepEqual(words, want ?? words.map(() => 0), what);
    } else if (want === undefined) assert.equal(got, undefined, what);
    else assert.equal(got, expected(arg, want)[0], what);
  }
}

describe('the arguments of events', () => {
  for (const kind of kinds) {
    if (kind === (other as EventKind)) continue;
    it(`${kind.name}: what is written is read, also through a trace file`, () => {
      fc.assert(
        fc.property(
          fc.array(value, { minLength: kind.args.length, maxLength: kind.args.length }),
          word,
          (values, before) => {
            const out = new TraceBuilder('arguments');
            const { world } = out;
            const texts = TEXTS.map((text) => world.strings.intern(text));
            const objects = OBJECTS.map((path) => world.object(mention, path));
            const given = kind.args.map((arg, i): Given => {
              const words = values[i] ?? (arg.optional ? undefined : [3, 2, 1, 0]);
              return words && fitting(arg, words);
            });
            // Whatever stood there before: the words of another event of the kind.
            kind.words.fill(before);
            const event = kind.put();
            for (const [i, arg] of [...kind.args.entries()].reverse()) {
              const words = given[i];
              if (words) event[arg.name]!(...setterValues(arg, words, texts, objects));
            }
            out.begin(1, 0);
            out.emit(event as unknown as Written, world.object(mention, 'mention'));
            const { trace } = out;
            assert.equal(trace.table.kind(0), kind);
            const row = trace.table.read(0, out.row);
            checkReader(kind, row.words, row.at, given, (arg, w) => setterValues(arg, w, texts, objects));

            const file = Buffer.concat([...irqtraceBytes(trace)]);
            const line = kind.args
              .map((arg, i) => (given[i] ? ` ${arg.name}=${fileText(arg, given[i])}` : ''))
              .join('');
            assert.equal(textOf(file).split('\n')[2], `- - - ${kind.name} mention${line}`);

            const again = importBytes(file);
            const copy = again.table.read(0, out.row);
            assert.equal(copy.kind, kind);
            checkReader(kind, copy.words, copy.at, given, (arg, w) => {
              if (arg.type === 's') return [again.world.strings.intern(TEXTS[w[0]!]!)];
              if (arg.type === 'o') return [again.world.objectAt(OBJECTS[w[0]!]!)];
              return setterValues(arg, w, [], []);
            });
          },
        ),
        { numRuns: 12 },
      );
    });
  }

  it('the writer of one kind does not touch what was written for another', () => {
    const out = new TraceBuilder('arguments');
    const send = msgSend.put().address(0xfee00000, 1).data(0x41);
    out.begin(1, 0);
    out.emit(tblWrite.put().offset(12).size(4).value(1, 0), out.world.object(mention, 'a'));
    out.emit(send, out.world.object(mention, 'b'));
    const row = out.trace.table.read(1, out.row);
    const read = msgSend.read(row.words, row.at);
    assert.deepEqual(
      [read.address(0), read.address(1), read.data, read.size, read.cause],
      [0xfee00000, 1, 0x41, undefined, undefined],
    );
  });

  it('the compiler refuses an event that lacks an argument which is not optional', () => {
    // Never called: what counts is that each line is an error for the compiler.
    const wrong = (out: TraceBuilder): void => {
      // @ts-expect-error: the name is missing
      out.emit(irqEntry.put(), 0);
      // @ts-expect-error: size and value are missing
      out.emit(tblWrite.put().offset(0), 0);
      // @ts-expect-error: a 64-bit value takes two words
      out.emit(tblWrite.put().offset(0).size(4).value(1), 0);
      // @ts-expect-error: there is no such argument
      out.emit(irqEntry.put().title(0), 0);
      // The optional ones may be left out.
      out.emit(msgSend.put().address(0, 0).data(0), 0);
    };
    assert.equal(typeof wrong, 'function');
  });
});
