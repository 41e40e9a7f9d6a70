// Lanes of real captures against counts made with regular expressions from the text of the captures.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseTime } from '../../src/base/time.ts';
import { ROLES } from '../../src/model/event.ts';
import { kindNamed, vocabulary } from '../../src/model/vocabulary.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { eventsBetween, layersAt, nearestTo, neighbourOf } from '../../src/view/lanes/find.ts';
import { markOfKind } from '../../src/view/lanes/kinds.ts';
import { LaneIndex, layerAt } from '../../src/view/lanes/lanes.ts';
import { MARK, type MarkName, marks } from '../../src/view/lanes/marks.ts';
import type { Lane, Layer } from '../../src/view/lanes/tree.ts';
import { ABSENT, OFF, ON, UNKNOWN } from '../../src/view/lanes/values.ts';
import { layerValue } from '../../src/view/presentation/layer.ts';
import { fixtureTrace, grep } from '../helpers/fixtures.ts';
import { randomTrace } from '../model/random.ts';

const LOG = 'x86-vtd/qemu.log';
const FTRACE = 'x86-vtd/ftrace.txt';
const ENTRY = 'device/0000:00:03.0/msix/0';

const indexes = new Map<string, LaneIndex>();

function indexOf(name: string): LaneIndex {
  let index = indexes.get(name);
  if (index === undefined) {
    index = new LaneIndex(fixtureTrace(name));
    index.advance();
    indexes.set(name, index);
  }
  return index;
}

function laneAt(index: LaneIndex, path: string): Lane {
  return index.tree.find(path) ?? assert.fail(`no lane ${path}`);
}

function layerNamed(lane: Lane, name: string): Layer {
  return lane.layers.find((layer) => layer.spec.name === name) ?? assert.fail(`no layer ${name} in ${lane.path}`);
}

function countOf(lane: Lane, mark: MarkName): number {
  return lane.marks.exact().filter((m) => m === MARK[mark]).length;
}

/** Steps of a lane's events of a mark between two times, both included. */
function during(trace: Trace, lane: Lane, mark: MarkName, from: string, to: string): number {
  const [a, b] = [from, to].map((text) => parseTime(text, trace.time)!) as [number, number];
  let n = 0;
  for (let i = 0; i < lane.steps.length; i++) {
    const time = trace.table.time(lane.steps.at(i));
    if (lane.marks.at(i) === MARK[mark] && time >= a && time <= b) n++;
  }
  return n;
}

describe('lanes of threads of irqs', () => {
  const REPORT = 'x86-threads/trace-cmd-report.txt';

  it('show when a thread runs: from the switch to it to the switch away from it', () => {
    const index = indexOf(REPORT);
    const layer = layerNamed(laneAt(index, 'irq/30/thread/147'), 'handler');
    const behind = (line: number): number => layerAt(layer, index.trace.lastAtLine(line));
    const begins = grep(REPORT, /next_comm=irq\/30-nvme0q1 next_pid=147 /);
    const ends = grep(REPORT, /prev_comm=irq\/30-nvme0q1 prev_pid=147 /);
    assert.deepEqual([begins.length, ends.length], [39, 39]);
    for (const { line } of begins) assert.equal(behind(line), ON, `line ${line}`);
    for (const { line } of ends) assert.equal(behind(line), OFF, `line ${line}`);
    const woken = layerNamed(laneAt(index, 'irq/30/thread/147'), 'woken');
    for (const { line } of grep(REPORT, /sched_waking: +comm=irq\/30-nvme0q1 /))
      assert.equal(layerAt(woken, index.trace.lastAtLine(line)), ON, `line ${line}`);
  });
});

describe('lanes of the VT-d capture', () => {
  it('have the writes, reads, causes and messages of an MSI-X entry', () => {
    const lane = laneAt(indexOf(LOG), ENTRY);
    // The table of the nvme lies at 0xfe7c2000 in this capture; entry 0 sends to 0xfee00298 with data 0 (A3, A5).
    assert.equal(countOf(lane, 'write'), grep(LOG, /ops_write .* addr 0xfe7c200[0-9a-f] .*'msix-table'/).length);
    assert.equal(countOf(lane, 'read'), grep(LOG, /ops_read .* addr 0xfe7c200[0-9a-f] .*'msix-table'/).length);
    assert.equal(countOf(lane, 'raise'), grep(LOG, /pci_nvme_irq_msix raising MSI-X IRQ vector 0$/).length);
    assert.equal(countOf(lane, 'send'), grep(LOG, /ops_write .* addr 0xfee00298 .*'vtd-ir'/).length);
    assert.ok(countOf(lane, 'write') > 50);
  });

  it('show the mask of an entry as it changes (A3, A4)', () => {
    const index = indexOf(LOG);
    const mask = layerNamed(laneAt(index, ENTRY), 'mask');
    const [enabled] = grep(LOG, /msix_write_config dev nvme enabled 1 masked 0/);
    const [opened] = grep(LOG, /ops_write .*addr 0xfe7c200c value 0x0 .*msix-table/);
    const behind = (line: number): number => layerAt(mask, index.trace.lastAtLine(line));
    assert.equal(behind(enabled!.line), ON, 'the function is unmasked, the entry itself still masked');
    assert.equal(behind(opened!.line - 1), ON);
    assert.equal(behind(opened!.line), OFF);
    assert.equal(behind(1), ABSENT, 'nothing is drawn before the entry was first seen');
  });

  it('show function mask, causes without messages, and what follows the unmask (A15, A16)', () => {
    const index = indexOf(LOG);
    const { trace } = index;
    const [, set, cleared] = grep(LOG, /pci_cfg_write e1000e 00:04.0 @0xa2 <-/).slice(-4);
    const time = (text: string): string => /@([\d.]+):/.exec(text)![1]!;
    assert.match(set!.text, /<- 0xc004$/);
    assert.match(cleared!.text, /<- 0x8004$/);
    const between = [time(set!.text), time(cleared!.text)] as const;
    const entries = [0, 1].map((i) => laneAt(index, `device/0000:00:04.0/msix/${i}`));
    let raises = 0;
    for (const lane of entries) {
      raises += during(trace, lane, 'raise', ...between);
      assert.equal(during(trace, lane, 'send', ...between), 0);
      const mask = layerNamed(lane, 'mask');
      assert.equal(layerAt(mask, trace.lastAtLine(set!.line - 1)), OFF);
      assert.equal(layerAt(mask, trace.lastAtLine(set!.line)), ON);
      assert.equal(layerAt(mask, trace.lastAtLine(cleared!.line)), OFF);
    }
    const causes = grep(LOG, /e1000e_irq_msix_notify(_postponed)?_vec /).filter(
      (l) => l.line > set!.line && l.line < cleared!.line,
    );
    assert.equal(causes.filter((l) => l.text.includes('_notify_vec')).length, 2, 'what A16 counts');
    assert.equal(raises, causes.length);
    const fmask = layerNamed(laneAt(index, 'device/0000:00:04.0'), 'function mask');
    assert.equal(layerAt(fmask, trace.lastAtLine(set!.line)), ON);
    assert.equal(layerAt(fmask, trace.lastAtLine(cleared!.line)), OFF);
    const pending = layerNamed(entries[0]!, 'pending');
    assert.equal(layerAt(pending, trace.lastAtLine(cleared!.line - 1)), ON, 'the cause waits');
    assert.equal(layerAt(pending, trace.lastAtLine(cleared!.line)), OFF, 'and is sent');
  });

  it('have the accesses of a remapping entry', () => {
    const lane = laneAt(indexOf(LOG), 'irte/0/35');
    assert.equal(countOf(lane, 'read'), grep(LOG, /vtd_ir_irte_get index 35 /).length);
    assert.equal(countOf(lane, 'invalidate'), grep(LOG, /vtd_inv_desc_iec granularity 0x1 index 0x23 mask 0x0/).length);
    // A log of the unit alone shows no write of the table: nothing tells that an entry is stale.
    assert.equal(layerNamed(lane, 'stale').everOn, false);
  });

  it('have the writes to an MSI capability (A17)', () => {
    const lane = laneAt(indexOf(LOG), 'device/0000:00:07.0/msi');
    assert.equal(countOf(lane, 'write'), grep(LOG, /pci_cfg_write edu 00:07.0 @0x(4[2-9a-f]|5[0-7]) <-/).length);
    assert.equal(countOf(lane, 'send'), grep(LOG, /ops_write .* addr 0xfee004d8 value 0x0 .*'vtd-ir'/).length);
  });

  it('begin with the devices, list nothing empty, and put children below their parents', () => {
    for (const name of [LOG, FTRACE]) {
      const index = indexOf(name);
      const list = index.tree.list(index.trace.head);
      if (name === LOG) assert.equal(list[0]!.path, 'device');
      const seen = new Set<number>();
      for (const info of list) {
        const lane = index.tree.lanes[info.id]!;
        assert.ok(lane.visible, info.path);
        assert.ok(info.parent < 0 || seen.has(info.parent), info.path);
        assert.equal(info.events, lane.steps.length);
        seen.add(info.id);
      }
      const labels = list.filter((info) => info.parent >= 0).map((info) => `${info.parent} ${info.label}`);
      assert.equal(new Set(labels).size, labels.length, 'two lanes of the same name in one group');
    }
    const nvme = indexOf(LOG).tree.list(indexOf(LOG).trace.head);
    assert.equal(nvme.find((info) => info.path === 'device/0000:00:03.0')?.detail, 'nvme');
  });
});

describe('lanes of the guest ftrace', () => {
  it('have handler spans per irq and per CPU', () => {
    const index = indexOf(FTRACE);
    const lane = laneAt(index, 'irq/41');
    const entries = grep(FTRACE, / irq_handler_entry: irq=41 /);
    const exits = grep(FTRACE, / irq_handler_exit: irq=41 /);
    assert.equal(countOf(lane, 'edge'), entries.length + exits.length);
    const running = layerNamed(lane, 'handler');
    const first = index.trace.lastAtLine(entries[0]!.line);
    assert.equal(layerAt(running, first), ON);
    assert.equal(layerAt(running, index.trace.lastAtLine(exits[0]!.line)), OFF);
    const cpu = /\[(\d+)\]/.exec(entries[0]!.text)![1]!;
    assert.equal(layerAt(layerNamed(laneAt(index, `cpu/${Number(cpu)}`), 'irq handler'), first), ON);
  });

  it('show a move and that it is settled later (A6)', () => {
    const index = indexOf(FTRACE);
    const lane = laneAt(index, 'irq/41');
    const [, moved] = grep(FTRACE, / vector_update: irq=41 /);
    const [freed] = grep(FTRACE, / vector_free_moved: irq=41 /);
    const moving = layerNamed(lane, 'moving');
    assert.equal(layerAt(moving, index.trace.lastAtLine(moved!.line)), ON);
    assert.equal(layerAt(moving, index.trace.lastAtLine(freed!.line)), OFF);
    assert.equal(countOf(lane, 'move'), grep(FTRACE, / vector_update: irq=41 /).length);
  });

  it('do not claim to know what ran where events were lost', () => {
    const index = indexOf('x86-lost/trace_pipe.txt');
    const notes = laneAt(index, 'notes');
    assert.equal(countOf(notes, 'lost'), grep('x86-lost/trace_pipe.txt', /LOST \d* ?EVENTS/).length);
    const unknown = index.tree.lanes.some((lane) => lane.layers.some((l) => l.values.exact().includes(UNKNOWN)));
    assert.ok(unknown);
  });
});

describe('lanes of any trace', () => {
  const names = [LOG, FTRACE, 'arm64-a/qemu.log', 'x86-nested/l1-ftrace.txt', 'x86-nested/l2-qemu.log'];

  /** Holds the layers of all lanes against the state at some steps. */
  function checkLayers(index: LaneIndex, steps: Iterable<number>, what: string): number {
    let checked = 0;
    for (const step of steps) {
      const state = index.trace.stateAt(step);
      for (const lane of index.tree.lanes) {
        for (const layer of lane.layers) {
          if (!layer.spec.value || lane.object < 0) continue;
          const expected = layerValue(layer.spec, state, lane.object);
          assert.equal(layerAt(layer, step), expected, `${what}: ${lane.path} ${layer.spec.name} at step ${step}`);
          if (expected === ON) checked++;
        }
      }
    }
    return checked;
  }

  it('layers hold what the state holds', () => {
    for (const name of names) {
      const { length } = fixtureTrace(name);
      const steps = Array.from({ length: 60 }, (_, n) => Math.floor(((n * 7919 + 13) % 6007) * (length / 6007)));
      assert.ok(checkLayers(indexOf(name), steps, name) > 0);
    }
  });

  it('layers hold what the state holds, for any events', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (seed) => {
        const index = new LaneIndex(randomTrace(seed, 400));
        index.advance();
        assert.ok(
          checkLayers(
            index,
            Array.from({ length: 40 }, (_, i) => i * 10),
            `seed ${seed}`,
          ) > 0,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('are the same whether built at once or in slices', () => {
    for (const name of names.slice(0, 2)) {
      const sliced = new LaneIndex(fixtureTrace(name));
      while (sliced.advance(777));
      const whole = indexOf(name);
      assert.equal(sliced.done, whole.done);
      const all = (index: LaneIndex): unknown[] =>
        index.tree.lanes
          .map((l) => [
            l.path,
            l.steps.exact(),
            l.marks.exact(),
            l.layers.map((x) => [x.steps.exact(), x.values.exact()]),
          ])
          .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      assert.deepEqual(all(sliced), all(whole));
    }
  });

  it('every event is in the lane of its object or among the notes', () => {
    const index = indexOf(FTRACE);
    const { table, world } = index.trace;
    for (let step = 0; step < index.trace.length; step += 13) {
      const lane = index.laneOf(step)!;
      assert.ok(lane.path === 'notes' || lane.path === world.path(table.object(step)));
      const found = neighbourOf(index, { lane: lane.id, deep: false }, step - 1, 'next');
      assert.equal(found, step, `step ${step} ${table.kind(step).name}`);
    }
  });
});

describe('marks', () => {
  it('are those of the roles: what the timeline draws for some well-known kinds', () => {
    const drawn = (name: string): string => marks[markOfKind[kindNamed(name)!.number]!]!.name;
    const expected = {
      'dev.raise': 'raise',
      send: 'send',
      'ir.remap': 'translate',
      'apic.accept': 'deliver',
      'irq.entry': 'edge',
      'apic.eoi': 'eoi',
      'tbl.write': 'write',
      'tbl.read': 'read',
      'irte.write': 'write',
      'iec.inv': 'invalidate',
      'vec.update': 'move',
      'irq.mask': 'change',
      'ir.fault': 'fault',
      drop: 'fault',
      lost: 'lost',
      start: 'lost',
      hcall: 'call',
      mark: 'note',
    };
    for (const [name, shape] of Object.entries(expected)) assert.equal(drawn(name), shape, name);
  });

  it('every kind has a role, and every role has kinds', () => {
    for (const kind of vocabulary) assert.ok(kind.role in ROLES, kind.name);
    for (const role of Object.keys(ROLES))
      assert.ok(
        vocabulary.some((kind) => kind.role === role),
        role,
      );
  });
});

describe('finding events in lanes', () => {
  const index = (): LaneIndex => indexOf(LOG);

  it('goes from event to event of a lane in both directions', () => {
    const lane = laneAt(index(), ENTRY);
    const row = { lane: lane.id, deep: false };
    const forward: number[] = [];
    for (let step = -1; (step = neighbourOf(index(), row, step, 'next')) >= 0; ) forward.push(step);
    assert.deepEqual(forward, [...lane.steps.exact()]);
    const back: number[] = [];
    for (let step = index().done; (step = neighbourOf(index(), row, step, 'previous')) >= 0; ) back.push(step);
    assert.deepEqual(back, forward.toReversed());
  });

  it('finds the nearest event, and none in a lane that does not exist', () => {
    const lane = laneAt(index(), ENTRY);
    const row = { lane: lane.id, deep: false };
    for (const axis of ['time', 'step'] as const) {
      const a = index().axis(axis);
      for (let n = 0; n < 200; n++) {
        const x = a.x(0) + ((a.x(a.length - 1) - a.x(0)) * n) / 200;
        const found = nearestTo(index(), row, index().axis(axis), x);
        const distance = Math.min(...[...lane.steps.exact()].map((step) => Math.abs(a.x(step) - x)));
        assert.equal(Math.abs(a.x(found) - x), distance);
      }
    }
    assert.equal(nearestTo(index(), { lane: 99999, deep: false }, index().axis('time'), 0), -1);
  });

  it('lists the events of a group in order, each once', () => {
    const group = laneAt(index(), 'device/0000:00:03.0');
    const all = eventsBetween(index(), { lane: group.id, deep: true }, index().axis('step'), 0, index().done, 1e9);
    const own = [group, ...group.children].flatMap((lane) => [...lane.steps.exact()]);
    assert.deepEqual(
      all.steps,
      own.sort((a, b) => a - b),
    );
    assert.equal(all.count, own.length);
    const few = eventsBetween(index(), { lane: group.id, deep: true }, index().axis('step'), 0, index().done, 5);
    assert.equal(few.count, all.count);
    assert.equal(few.steps.length, 5);
  });

  it('tells what the layers hold', () => {
    const lane = laneAt(index(), ENTRY);
    const mask = layerNamed(lane, 'mask');
    const opened = mask.steps.at([...mask.values.exact()].indexOf(OFF));
    const x = index().axis('time').x(opened);
    const [view] = layersAt(index(), lane.id, index().axis('time'), x);
    assert.equal(view?.name, 'mask');
    assert.equal(view.value, 'open');
    assert.equal(view.from, opened);
    assert.match(view.duration ?? '', /^[\d.]+ (s|ms|µs)$/);
    assert.deepEqual(layersAt(index(), lane.id, index().axis('time'), -1e15), []);
  });
});
