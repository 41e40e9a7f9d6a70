// A log that begins in the middle of a run, beside one of the whole run; and interrupts whose routes and vectors change.
import assert from 'node:assert/strict';
import { align } from '../../../src/query/diff/align.ts';
import { compareTraces } from '../../../src/query/diff/compare.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureLines, fixtureTrace, importBytes, importText } from '../../helpers/fixtures.ts';
import { rowsBetween } from './helper.ts';

/** The trace of a fixture from a line on, behind the header of an ftrace text; `skipped`: how many lines it lacks. */
function from(name: string, part: number): { late: Trace; skipped: number } {
  const bytes = fixtureBytes(name);
  const lines = fixtureLines(name);
  const head = lines.findIndex(({ text }) => !text.startsWith('#'));
  const first = Math.floor(lines.length * part);
  const kept = [bytes.subarray(0, lines[head]!.offset), bytes.subarray(lines[first]!.offset)];
  return { late: importBytes(Buffer.concat(kept), undefined, name), skipped: first - head };
}

/**
 * What a log that begins later cannot tell: the function of a table that is known by its address, or of a device model; whose message
 * an APIC got before one came through the remapping unit; the entry of a message whose request stands before the first line; text.
 */
const NOT_TOLD = /^(?:table\/|device\/(?!0000:)|message\/|log |vcpu\/\S+ apic\.deliver|irte\/\d+ ir\.message$)/;

describe('comparison with a log that begins later', () => {
  for (const [name, ...parts] of [
    ['x86-vtd/qemu.log', 0.3, 0.6],
    ['x86-vtd/ftrace.txt', 0.3, 0.6],
    ['arm64-a/qemu.log', 0.3, 0.6],
    ['x86-nested/l2-qemu.log', 0.3],
  ] as const)
    for (const part of parts)
      it(`${name} from ${part * 100} % on: an event is that of the same line`, () => {
        const whole = fixtureTrace(name);
        const { late, skipped } = from(name, part);
        const { differences, partner } = compareTraces(whole, late);
        // Line n of the late log is line n + skipped of the whole one: an alignment that needs no comparison.
        const pairs = [...partner.entries()].filter(([, a]) => a >= 0);
        const off = pairs.filter(([b, a]) => whole.table.line(a) !== late.table.line(b) + skipped);
        assert.ok(pairs.length > 300);
        assert.ok(off.length * 1000 <= pairs.length, `${off.length} of ${pairs.length} are events of other lines`);
        const told = differences
          .filter(({ b }) => b >= 0)
          .map(({ b }) => `${late.world.path(late.table.object(b))} ${late.table.kind(b).name}`)
          .filter((text) => !NOT_TOLD.test(text));
        assert.deepEqual(told, []);
      });

  it('reads sequences from the end where one lacks the beginning of the other', () => {
    // The same period again and again: forms 1 to 4, the last one with another token in each period.
    const whole = Array.from({ length: 4000 }, (_, i) => (i % 4 === 3 ? 1000 + (i >> 6) : i % 4));
    const sequence = (tokens: number[]) => ({
      tokens,
      forms: tokens.map((token) => (token >= 1000 ? 3 : token)),
      anchors: new Uint8Array(tokens.length),
    });
    // The last element differs, so the two do not end alike.
    const late = whole.slice(1201).with(-1, 1000);
    const wanted = (j: number, i: number): boolean => j === (i < 1201 ? -1 : i - 1201);
    assert.ok(align(sequence(whole), sequence(late), true).every(wanted));
    assert.ok(!align(sequence(whole), sequence(late)).every(wanted), 'read from the start');
  });
});

/** A log of one thread. */
const qemu = (...lines: readonly string[]): Trace =>
  importText(lines.map((line, i) => `7@1.${String(i).padStart(6, '0')}:${line}\n`).join(''));

const MAP = 'pci_update_mappings_add vfio-pci 00:01.0 0,0xfebf8000+0x4000';
const HOST = '(0000:00:03.0)';
/** A write to an entry of the table at offset 0x2000 of the BAR. */
const write = (entry: number, offset: number, value: number): string =>
  `memory_region_ops_write cpu 1 mr 0x55 addr 0x${(0xfebfa000 + entry * 16 + offset).toString(16)} value 0x${value.toString(16)} size 4 name 'msix-table'`;
const message = (entry: number, apicId: number, vector: number): string[] => [
  write(entry, 0, 0xfee00000 + apicId * 0x1000),
  write(entry, 4, 0),
  write(entry, 8, vector),
];
/** The guest unmasks an entry for the first time. */
const setUp = (entry: number, apicId: number, vector: number, virq: number): string[] => [
  ...message(entry, apicId, vector),
  write(entry, 12, 0),
  `vfio_msix_vector_do_use  ${HOST} vector ${entry} used`,
  `kvm_irqchip_add_msi_route dev vfio-pci vector ${entry} virq ${virq}`,
];
/** The guest moves it: mask, another message, unmask. */
const move = (entry: number, apicId: number, vector: number, virq: number): string[] => [
  write(entry, 12, 1),
  `vfio_msix_vector_release  ${HOST} vector ${entry} released`,
  ...message(entry, apicId, vector),
  write(entry, 12, 0),
  `vfio_msix_vector_do_use  ${HOST} vector ${entry} used`,
  `kvm_irqchip_update_msi_route Updating MSI route virq=${virq}`,
];

describe('comparison of routes that change', () => {
  const run = (gsis: readonly number[], apicId: number, vector: number): string[] => [
    MAP,
    ...setUp(0, 0, 0x22, gsis[0]!),
    ...setUp(1, 1, 0x23, gsis[1]!),
    ...move(0, apicId, vector, gsis[0]!),
    ...move(1, 0, 0x24, gsis[1]!),
  ];

  it('another vector and another CPU of one interrupt are two differences, and nothing else', () => {
    const rows = rowsBetween(qemu(...run([24, 25], 1, 0x25)), qemu(...run([24, 25], 3, 0x26)));
    assert.deepEqual(
      rows.map(({ kind, object, field, a, b }) => [kind, object, field, a, b]),
      [
        ['changed', 'device/0000:00:01.0/msix/0', 'value', '0xfee01000', '0xfee03000'],
        ['changed', 'device/0000:00:01.0/msix/0', 'value', '0x25', '0x26'],
      ],
    );
  });

  it('GSIs are numbers of a run: the route of the other entry under the same number is another route', () => {
    assert.deepEqual(rowsBetween(qemu(...run([24, 25], 1, 0x25)), qemu(...run([25, 24], 1, 0x25))), []);
    const rows = rowsBetween(qemu(...run([24, 25], 1, 0x25)), qemu(...run([25, 24], 1, 0x26)));
    assert.deepEqual(
      rows.map(({ object, field, a, b }) => [object, field, a, b]),
      [['device/0000:00:01.0/msix/0', 'value', '0x25', '0x26']],
    );
  });

  it('a log that begins behind the set-up knows the table and the route by the first time that a vector is used again', () => {
    // Without the mapping of the BAR the log tells no address of the table, and no route; config space tells the guest's function.
    const config = [
      'pci_cfg_write vfio-pci 00:01.0 @0x4 <- 0x506',
      `vfio_pci_write_config  ${HOST.replace(')', '')}, @0x4, 0x506, len=0x2)`,
    ];
    const whole = [...run([24, 25], 1, 0x25), ...config, ...move(0, 2, 0x27, 24)];
    const first = run([24, 25], 1, 0x25).length - 2 * move(0, 1, 0x25, 24).length;
    const [a, b] = [qemu(...whole), qemu(...whole.slice(first))];
    const rows = rowsBetween(a, b);
    // Entries and routes of the late log are those of the whole one. That a vector has a GSI is told later there.
    const entries = rows.filter(({ kind, object }) => kind !== 'only-a' && !object.startsWith('vfio/'));
    assert.deepEqual(
      entries.map(({ object, field, b: event }) => [object, field, event]),
      [],
    );
    for (const { at, kind, object } of rows)
      if (kind === 'only-a' && !object.startsWith('vfio/'))
        assert.ok(a.table.line(at.a!) <= first + 8, `line ${a.table.line(at.a!)}`);
    assert.deepEqual(
      interrupts(b, b.length - 1).map(({ row: { entry, vfio, gsi } }) => [entry, vfio, gsi]),
      [0, 1].map((i) => [`device/0000:00:01.0/msix/${i}`, `vfio/0000:00:03.0/2/${i}`, `kvm/0/route/${24 + i}`]),
    );
  });
});
