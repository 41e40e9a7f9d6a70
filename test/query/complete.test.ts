import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FilterError } from '../../src/query/filter/ast.ts';
import { completions } from '../../src/query/filter/complete.ts';
import { filterNames } from '../../src/query/filter/names.ts';
import { parseFilter } from '../../src/query/filter/parse.ts';
import { tokens } from '../../src/query/filter/tokens.ts';
import { bundled, run } from '../sim/run.ts';

const { trace } = run(bundled('chain-remap'), { seed: 2 });

const filters = [
  'kind == tbl.write && object == device/0000:03:00.0/msix/0 && entry.mask',
  'kind == msix.write || !entry.pending && dt.object > 50us',
  'vector in 33, 34 && cpu != 1',
  'state(entry.mask) && state(irte) == "irte/dmar0/24"',
  'after(kind == dev.raise && entry.mask == true, 5ms, same) || (step < 7 && handled)',
  'after(after(kind == send, 10us), 1s, irq)',
  'device == 0000:03:00.0 && device.busMaster && irte.vector == 33',
  'fields.cpu >= 2 && msixcap.fmask == false',
];

const textsAt = (text: string, column: number): string[] => completions(text, column, trace).map((c) => c.text);

describe('completion of filters', () => {
  it('offers every piece of a filter when half of it is written', () => {
    let offered = 0;
    for (const filter of filters) {
      parseFilter(filter);
      for (const { type, text, at, end } of tokens(filter)) {
        // Numbers cannot be guessed, and a parenthesis is offered together with what stands in front of it.
        if (type === 'end' || /^\d+$/.test(text) || text === '(' || text === '!' || text === ',') continue;
        // Directly behind a word the place is still that of the word.
        if (type === 'sign' && /\S$/.test(filter.slice(0, at))) continue;
        const half = at + Math.floor((end - at) / 2);
        const column = /^\d+(us|ms|s)$/.test(text) ? at + /^\d+/.exec(text)![0].length : half;
        const wanted = filter.slice(at, end);
        const call = ['state', 'after'].includes(text) ? `${text}(` : wanted;
        const texts = textsAt(filter.slice(0, column), column);
        const plain = type === 'quoted' ? text : call;
        // Of paths and keys the next piece is offered.
        assert.ok(
          texts.some(
            (t) => t === call || t === plain || (/[/.]$/.test(t) && plain.startsWith(t) && t.length > column - at),
          ),
          `${wanted} in ${filter}: ${texts.slice(0, 20).join(' ')}`,
        );
        offered++;
      }
    }
    assert.ok(offered > 50, String(offered));
  });

  it('offers only what can stand there: what is left over is an error behind it, if any', () => {
    for (const filter of filters) {
      for (const { at } of tokens(filter).slice(0, -1)) {
        const head = filter.slice(0, at);
        // Behind a word the place is still that of the word.
        if (/[^\s(]$/.test(head)) continue;
        for (const { text, from, to } of completions(head, at, trace)) {
          assert.deepEqual([from, to], [at, at]);
          if (/[/.(]$/.test(text)) continue;
          const whole = head + text;
          try {
            parseFilter(whole);
          } catch (error) {
            assert.ok(error instanceof FilterError, String(error));
            assert.ok(error.at >= whole.length, `${whole}: ${error.message} at ${error.at}`);
          }
        }
      }
    }
  });

  it('replaces the whole word at the caret, and closes quotes', () => {
    const [first] = completions('kind == tbl.wr && step == 1', 12, trace);
    assert.deepEqual(first && [first.text, first.from, first.to], ['tbl.write', 8, 14]);
    // The scenario has one function, `accel`; the quote stands at column 22.
    const quoted = completions('state(device.name) == "a', 24, trace);
    assert.ok(quoted.length > 0);
    for (const { text, from, to } of quoted) assert.deepEqual([text[0], text.at(-1), from, to], ['"', '"', 22, 24]);
  });

  it('says what each name is, and the kinds that occur come first', () => {
    for (const { text, what } of completions('', 0)) assert.ok(what !== '', text);
    for (const { text, what } of completions('entry.', 6)) assert.ok(what !== '', text);
    const kinds = completions('kind == ', 8, trace);
    const occurring = new Set(Array.from({ length: trace.length }, (_, step) => trace.table.kind(step).name));
    assert.deepEqual(new Set(kinds.slice(0, occurring.size).map((c) => c.text)), occurring);
  });

  it('answers for any text at any column', () => {
    const piece = fc.oneof(
      fc.constantFrom('&&', '||', '!', '(', ')', '==', '~', ' in ', ',', '..', '"', "'", '\\', 'after(', 'state(', ' '),
      fc.constantFrom(...filterNames(), 'irq/24.', 'entry.'),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.nat(60), (pieces, at) => {
        const text = pieces.join('');
        const column = Math.min(at, text.length);
        for (const { from, to } of completions(text, column, trace)) {
          assert.ok(from >= 0 && from <= column && to >= column && to <= text.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
