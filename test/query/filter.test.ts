import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { ImportRun } from '../../src/import/run.ts';
import { irqEntry, irqExit, irqIdentify } from '../../src/model/events/irq.ts';
import { tblWrite } from '../../src/model/events/msix.ts';
import { irteRead } from '../../src/model/events/remap.ts';
import { vecUpdate } from '../../src/model/events/vector.ts';
import { irq } from '../../src/model/things/irq.ts';
import { msixEntry } from '../../src/model/things/pci.ts';
import { irte } from '../../src/model/things/remap.ts';
import { FilterError, filterText } from '../../src/query/filter/ast.ts';
import { filterNames } from '../../src/query/filter/names.ts';
import { parseFilter } from '../../src/query/filter/parse.ts';
import { compileFilter, FilterObserver } from '../../src/query/filter/pass.ts';
import { TraceBuilder } from '../../src/trace/builder.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { Walk } from '../../src/trace/walk.ts';
import { randomTrace } from '../model/random.ts';
import { bundled, start } from '../sim/run.ts';
import { filtersFor, plainly } from './filter-plain.ts';

/** A small trace with arguments of every width; steps as the comments say. */
function smallTrace(): Trace {
  const out = new TraceBuilder('small');
  out.source.time = { base: 100n, ticks: false, digits: 6 };
  const { world } = out;
  const entry = world.object(msixEntry, 'device/0000:00:03.0/msix/0');
  const virq = world.object(irq, 'irq/41');
  out.begin(1, 0); // 0: no time, no CPU, no task
  out.emit(tblWrite.put().offset(0xc).size(4).value(1, 0), entry);
  out.begin(2, 50); // 1
  out.time = 1_500_000_000;
  out.cpu = 3;
  out.setTaskText('kworker/u16:3-45');
  out.emit(tblWrite.put().offset(0).size(8).value(0xfee00298, 0x80000001), entry);
  out.begin(3, 90); // 2
  out.time = 2_000_001_000;
  out.cpu = 2;
  out.emit(vecUpdate.put().vector(39).cpu(1).prevVector(38).prevCpu(2), virq);
  out.emit(irqEntry.put().name(world.strings.intern('vfio-msi[0](0000:00:07.0)')), virq); // 3
  out.emit(irqExit.put().handled(true), virq); // 4
  out.emit(irqExit.put().handled(false), virq); // 5
  out.emit(irqIdentify.put().hwirq(7), virq); // 6: no device, domain, lpi
  out.begin(4, 120); // 7
  out.emit(irteRead.put().value(0x210009, 0, 0x40018, 0xf0000000), world.object(irte, 'irte/0/20'));
  return out.trace;
}

const trace = smallTrace();

function steps(text: string, of = trace): number[] {
  const holds = compileFilter(parseFilter(text), of);
  return Array.from({ length: of.length }, (_, step) => step).filter(holds);
}

describe('filters', () => {
  it('find events', () => {
    const cases: Readonly<Record<string, number[]>> = {
      'kind == tbl.write': [0, 1],
      'kind == irq.*': [3, 4, 5, 6],
      'kind in tbl.write, vec.*': [0, 1, 2],
      'kind != irq.exit': [0, 1, 2, 3, 6, 7],
      'object == device/0000:00:03.0/msix/0': [0, 1],
      'object == device/00:03.0/msix/0': [0, 1],
      'object == device/*/msix/*': [0, 1],
      'object == device/00:03.0/**': [0, 1],
      'object != device/00:03.0/msix/0': [2, 3, 4, 5, 6, 7],
      'object == "device/00:03.0/msix/0"': [],
      'object == device/*': [],
      'object == device/**': [0, 1],
      'object == irte/0/20/**': [7],
      'object == "device/*/msix/*"': [],
      'object ~ MSIX': [0, 1],
      'object == irq/41 && kind == irq.exit || step == 7': [4, 5, 7],
      'object == irq/41 && (kind == irq.exit || step == 7)': [4, 5],
      'cpu in 0, 2..5': [1, 2, 3, 4, 5, 6],
      'cpu == 3': [1],
      'fields.cpu == 1': [2],
      'vector == 0x27': [2],
      'vector == 39': [2],
      'vector in 30..38, 40..50': [],
      'value == 0x80000001fee00298': [1],
      'value == 9223372045425836696': [1],
      'value >= 0x80000001fee00298': [1, 7],
      'value > 0x80000001fee00298': [7],
      'value < 0x80000001fee00299': [0, 1],
      'value == 0xf0000000000400180000000000210009': [7],
      'value < 0x1f0000000000400180000000000210009': [0, 1, 7],
      'value >= -1': [0, 1, 7],
      'hwirq == 7': [6],
      handled: [4],
      '!handled': [5],
      'handled == false': [5],
      'handled != 1': [5],
      'time >= 101.5': [1, 2, 3, 4, 5, 6],
      'time > 101.5': [2, 3, 4, 5, 6],
      'time == 102.000001': [2, 3, 4, 5, 6],
      'time > -0.5': [1, 2, 3, 4, 5, 6],
      'time < -0.000000010': [],
      'time in 101..101.5': [1],
      'line == 3 && step > 4': [5, 6],
      'task == kworker*': [1],
      'task ~ U16': [1],
      'task != foo': [1],
      "name == 'vfio-msi[0](0000:00:07.0)'": [3],
      'name == vfio-*': [3],
      'device == x || hwirq == 7': [6],
      '!(device == x) || step == 0': [0],
    };
    for (const [text, expected] of Object.entries(cases)) assert.deepEqual(steps(text), expected, text);
  });

  it('look at the state after the event, of any object and of related ones', () => {
    const cases: Readonly<Record<string, number[]>> = {
      // Written with value 0x1 at offset 0xc at step 0, with the address at step 1.
      'entry.mask': [0, 1],
      'state(entry.mask) && kind == msix.write': [0, 1],
      'entry.control.mask == 1': [0, 1],
      '!entry.mask': [],
      'entry.address == 0x80000001fee00298': [1],
      'entry.address != 0 && step == 0': [],
      'entry.writes >= 2': [1],
      'state(device/0000:00:03.0/msix/0.writes) == 2': [1, 2, 3, 4, 5, 6, 7],
      'device/00:03.0/msix/0/control.mask && step > 4': [5, 6, 7],
      'state("device/00:03.0/msix/0/writes") == 1': [0],
      'irq/41.vector == 39': [2, 3, 4, 5, 6, 7],
      'irq.vector == 39': [2, 3, 4, 5, 6],
      'irq.prevVector == 38 && irq/41/prevCpu == 2': [2, 3, 4, 5, 6],
      'irq.handled == 1': [3, 4, 5, 6],
      'irq.name ~ VFIO': [3, 4, 5, 6],
      'irte.present': [7],
      'irte.vector == 0x21 && irte.dest == 0xf00 || step < 0': [],
      'irq/41.exists': [2, 3, 4, 5, 6, 7],
      '!irq/41.exists': [0, 1],
      'irq.exists': [2, 3, 4, 5, 6],
      'state(irq) == irq/41': [2, 3, 4, 5, 6],
      'irq == 41': [2, 3, 4, 5, 6],
      'entry == 00:03.0/msix/0': [0, 1],
      'irte == "0/20"': [7],
      'irte == 0/2*': [7],
      'irte == "0/2*"': [],
      'kind in (msix.write, irq.exit)': [0, 1, 4, 5],
    };
    for (const [text, expected] of Object.entries(cases)) assert.deepEqual(steps(text), expected, text);
  });

  it('know times with units, and what came before', () => {
    // Times: none, 101.5, five times 102.000001, none.
    const cases: Readonly<Record<string, number[]>> = {
      'time >= 102000001us': [2, 3, 4, 5, 6],
      'time < 101500.0005ms': [1],
      'dt == 500001us': [2],
      'dt == 500.001ms': [2],
      'dt == 0ns': [3, 4, 5, 6],
      'dt in 1ms..1s': [2],
      'dt >= 0 || dt < 0': [2, 3, 4, 5, 6],
      'dt.object == 0': [3, 4, 5, 6],
      'dt.cpu == 0s': [3, 4, 5, 6],
      'dt.kind == 0': [5],
      'after(kind == tbl.write, 1s)': [2, 3, 4, 5, 6],
      'after(kind == tbl.write && step > 0, 500ms)': [],
      '!after(kind == tbl.write && step > 0, 500ms)': [0, 1, 2, 3, 4, 5, 6],
      'after(kind == irq.exit, 0, same)': [5, 6],
      'after(kind == irq.exit, 0, irq)': [5, 6],
      'after(kind == irq.exit, 0, entry)': [],
      'after(vector in 30..38, 39, 0)': [3, 4, 5, 6],
      'after(vector in 30..38, 0, same)': [],
      'after(vector in 30..38, 39, 1ns)': [3, 4, 5, 6],
      'after(after(kind == vec.update, 1us) && !handled, 1us)': [6],
    };
    for (const [text, expected] of Object.entries(cases)) assert.deepEqual(steps(text), expected, text);
  });

  it('cannot compare ticks with seconds', () => {
    const out = new TraceBuilder('ticks');
    out.source.time = { base: 0n, ticks: true, digits: 0 };
    for (const time of [100, 250]) {
      out.begin(1, 0);
      out.time = time;
      out.emit(irqExit.put().handled(true), out.world.object(irq, 'irq/41'));
    }
    assert.deepEqual(steps('dt == 150', out.trace), [1]);
    assert.deepEqual(steps('time == 250', out.trace), [1]);
    assert.deepEqual(steps('dt < 1s || dt >= 1s || time > 1ms', out.trace), []);
    assert.deepEqual(steps('after(handled, 150)', out.trace), [1]);
    assert.deepEqual(steps('after(handled, 149)', out.trace), []);
    assert.deepEqual(steps('after(handled, 1s) || !after(handled, 1s)', out.trace), [0]);
  });

  it('hold neither way of events that lack what they ask about', () => {
    assert.deepEqual(steps('vector == 0 || !(vector == 0)'), [2]);
    assert.deepEqual(steps('cpu == 0 || cpu != 0'), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(steps('!(kind == tbl.write && handled)'), [2, 3, 4, 5, 6, 7]);
  });

  it('say where they are wrong and what was expected', () => {
    const cases: readonly (readonly [string, number, RegExp])[] = [
      ['', 0, /expected a name, `!` or `\(`, found the end/],
      ['vectr == 33', 0, /called `vectr`; did you mean `vector`/],
      ['vector = 33', 7, /expected `==`, found `=`/],
      ['vector == 33 & cpu == 1', 13, /expected `&&`/],
      ['vector == 33 || ', 16, /expected a name/],
      ['vector ==', 9, /expected a number, found the end/],
      ['vector == abc', 10, /`vector` is a number.*found `abc`/],
      ['vector == "33"', 10, /`vector` is a number.*found "33"/],
      ['vector', 6, /expected a comparison .* after `vector`/],
      ['vector ~ 3', 7, /`~` compares texts/],
      ['handled < 1', 8, /`<` compares numbers/],
      ['kind == tbl.wirte', 8, /no event kind tbl.wirte; did you mean tbl.write/],
      ['kind == foo.*', 8, /no event kind foo/],
      ['(step == 1', 10, /expected `\)`, found the end/],
      ['step == 1)', 9, /expected `&&`, `\|\|` or the end, found `\)`/],
      ['!step == 1', 0, /needs parentheses/],
      ['name == "abc', 8, /never closed/],
      ['step in 1..x', 8, /a range goes from number to number/],
      ['step in 5..3', 8, /a range goes upwards, as in 3\.\.5/],
      ['step in (1, 0x20..16)', 12, /a range goes upwards/],
      ['dt in 2ms..1500us', 6, /a range goes upwards, as in 1500us\.\.2ms/],
      ['time in 1.000000002..1.000000001', 8, /a range goes upwards/],
      ['task in 1..2', 8, /a range goes from number to number, and `task` is a text/],
      ['time == 1.2.3', 8, /`time` is a time/],
      ['constructor == 1', 0, /called `constructor`/],
      ['kind == send and masked', 13, /the end, found `and`; did you mean `&&`\?$/],
      ['(masked OR vector == 3)', 8, /expected `\)`, found `OR`; did you mean `\|\|`\?$/],
      ['not masked', 0, /called `not`; did you mean `!`\?$/],
      ['vector eq 33', 7, /after `vector`, found `eq`; did you mean `==`\?$/],
      ['kind contains irq', 5, /found `contains`; did you mean `~`\?$/],
      ['dt > 5 ms', 7, /found `ms`; a unit follows its number without a space, as in `5ms`$/],
      ['entry.maks', 6, /no `entry` has a key `maks`; did you mean `mask`/],
      ['step == 1 && irq/41.vectr == 3', 20, /irq\/41 has no key `vectr`; did you mean `vector`/],
      ['irq/41 == 3', 6, /expected a key behind the object, such as `name`/],
      ['state(irq/*.vector) == 3', 10, /one object/],
      ['state(irg/41.vector) == 3', 6, /no object has a path like irg.*did you mean `irq`/],
      ['state(kind) == x', 6, /expected a path .* without `state\(…\)`/],
      ['state(entry.mask', 16, /expected `\)`/],
      ['vcpu', 4, /expected a comparison/],
      ['route == 1', 5, /expected a key behind `route`/],
      ['entry.data == abc', 14, /`entry.data` is a number/],
      ['irq.name < 3', 9, /`<` compares numbers, and `irq.name` is a text/],
      ['vector == 5ms', 10, /`vector` is a number.*only `time`, `dt`/],
      ['dt > 5m', 5, /a stretch of time.*found `5m`/],
      ['time > 0.0000000001', 7, /`time` is a time/],
      ['dt > 1.5ns', 5, /`dt` is a stretch of time/],
      ['dt in 1..5ms', 6, /both ends of a range/],
      ['after(handled)', 13, /expected `,`, found `\)`/],
      ['after(handled, 5)ms', 17, /expected `&&`/],
      ['after(handled, -5ms)', 15, /expected a time/],
      ['after(handled, x)', 15, /expected a time such as `5ms`/],
      ['after(handled, 5ms, object)', 20, /expected `same`/],
      ['after(handled, 5ms same)', 19, /expected `\)`, or `,` and `same`/],
      ['after(vectr == 3, 5ms)', 6, /called `vectr`/],
      ['kind == msix.wirte', 8, /no event kind msix.wirte/],
      [`${'!'.repeat(1000)}handled`, 100, /more than 100 levels/],
      [`${'('.repeat(100_000)}`, 100, /more than 100 levels/],
    ];
    for (const [text, at, message] of cases) {
      assert.throws(
        () => parseFilter(text),
        (error: unknown) => {
          assert.ok(error instanceof FilterError, `${text}: ${error}`);
          assert.match(error.message, message, text);
          assert.equal(error.at, at, text);
          return true;
        },
      );
    }
  });

  it('never fail in another way, whatever the text', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '&&',
        '||',
        '!',
        '(',
        ')',
        '==',
        '~',
        ' in ',
        ',',
        '..',
        '"',
        "'",
        '\\',
        '*',
        ' ',
        '=',
        '0x',
        '-',
      ),
      fc.constantFrom(...filterNames()),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          steps(pieces.join(''));
        } catch (error) {
          assert.ok(error instanceof FilterError, String(error));
          assert.ok(error.at >= 0 && error.at <= pieces.join('').length);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('are the same after printing and reading again', () => {
    fc.assert(
      fc.property(filtersFor(randomTrace(1, 50)), (filter) => {
        assert.deepEqual(parseFilter(filterText(filter)), filter);
      }),
      { numRuns: 2000 },
    );
  });

  it('agree with a plain reading of the printed events', () => {
    const run = new ImportRun('example');
    const example = readFileSync(resolve(import.meta.dirname, '../../examples/x86-vtd-qemu.log'));
    run.push(example.subarray(0, 480_000));
    const real = run.end();
    const sample = Array.from({ length: 150 }, (_, i) => Math.floor((i * real.length) / 150));
    for (const [of, at] of [
      [trace, Array.from({ length: trace.length }, (_, i) => i)],
      [real, sample],
    ] as const) {
      fc.assert(
        fc.property(filtersFor(), (filter) => {
          const holds = compileFilter(filter, of);
          for (const step of at) assert.equal(holds(step), plainly(filter, of, step) === true, `step ${step}`);
        }),
        { numRuns: 500 },
      );
    }
  });

  it('agree with a plain reading where they look at the state and at earlier events', () => {
    const simulated = ['first-run', 'chain-remap', 'posted-interrupts', 'its-basic'].map((id) => {
      const run = start(bundled(id), { seed: 5 });
      while (run.trace.length < 260 && run.step());
      return run.trace;
    });
    for (const of of [trace, randomTrace(7, 120), ...simulated]) {
      fc.assert(
        fc.property(filtersFor(of), fc.boolean(), (filter, back) => {
          const holds = compileFilter(filter, of);
          const observer = new FilterObserver(filter, of);
          const walk = new Walk(of, [observer]);
          for (let step = 0; step < of.length; step++) {
            const expected = plainly(filter, of, step) === true;
            const where = `${filterText(filter)} at step ${step}`;
            assert.equal(holds(step), expected, where);
            if (step % 7 === 0) assert.equal(holds(step), expected, `${where}, asked twice`);
            walk.advance(1);
            assert.equal(observer.holds, expected, `${where}, observed`);
          }
          if (!back) return;
          const at = Math.floor(of.length / 2);
          assert.equal(holds(at), plainly(filter, of, at) === true, `${filterText(filter)} at step ${at}, asked again`);
        }),
        { numRuns: 150 },
      );
    }
  });
});
