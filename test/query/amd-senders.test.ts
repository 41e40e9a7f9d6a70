// Who sent a message to the unit of an AMD IOMMU, where each function has a table of its own: messages of different functions are the same.
import assert from 'node:assert/strict';
import { irRequest } from '../../src/model/events/remap.ts';
import { msixEntry } from '../../src/model/things/pci.ts';
import { arrived } from '../../src/query/arrivals.ts';
import { interrupts } from '../../src/query/interrupts/list.ts';
import { eventRow } from '../../src/trace/row.ts';
import { fixtureTrace, grep } from '../helpers/fixtures.ts';
import { qemuEvents } from '../import/samples.ts';

const NAME = 'x86-amd/qemu.log';
/** Requester ID of the I/O APIC of QEMU's q35 machine behind an AMD IOMMU (ACPI IVRS, hw/i386/acpi-build.c). */
const IOAPIC = 0xa0;

const bdf = (id: number): string => `0000:00:${(id >> 3).toString(16).padStart(2, '0')}.${(id & 7).toString(16)}`;

/** Messages by requester and data, counted in the text. Linux gave entry i of each function index i of the function's table. */
function requests(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { text } of grep(NAME, /amdvi_ir_remap_msi_req/)) {
    const [, data, devid] = /data 0x([0-9a-f]+) devid 0x([0-9a-f]+)/.exec(text)!.map((x) => Number.parseInt(x, 16));
    if (devid === IOAPIC) continue;
    const key = `${bdf(devid!)} ${data}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe('messages to an AMD IOMMU', () => {
  it('count at the entry of the function that wrote them (QEMU 10.0, Linux 6.12)', () => {
    const trace = fixtureTrace(NAME);
    const shown = new Map<string, number>();
    for (const { row } of interrupts(trace, trace.length - 1)) {
      const [, device, index] = /^device\/([^/]+)\/(?:msix\/(\d+)|msi)/.exec(row.entry ?? '') ?? [];
      if (device !== undefined && (row.sends ?? 0) > 0) shown.set(`${device} ${index ?? 0}`, row.sends!);
    }
    const counted = requests();
    assert.deepEqual([...shown].sort(), [...counted].sort());
    assert.ok(counted.size > 20);
  });

  it('is told by the record behind it; a log without such records is asked who holds the message', () => {
    const write = "memory_region_ops_write cpu -1 mr 0x1 addr 0xfee00000 value 0x2a size 4 name 'amdvi-ir'";
    const request = 'amdvi_ir_remap_msi_req addr 0xfee00000 data 0x2a devid 0x18';
    assert.deepEqual(qemuEvents([write], 1), ['send message/0xfee00000/0x2a address=0xfee00000 data=0x2a size=4']);
    // The first one tells that the log holds such records.
    const twice = qemuEvents([request, write, request]);
    assert.deepEqual(twice.slice(-2), [
      'send message/0xfee00000/0x2a address=0xfee00000 data=0x2a size=4 requester=0x18',
      'ir.request irte/amdvi-0x18/42 address=0xfee00000 data=0x2a sid=0x18',
    ]);
    // Two writes with nothing in between, and one at the end.
    assert.deepEqual(qemuEvents([request, write, write], 2).length, 2);
  });

  it('an arrival is that of the function that the unit names, also where entries of others hold the message', () => {
    const trace = fixtureTrace(NAME);
    const [line] = grep(NAME, /amdvi_ir_remap_msi_req .*data 0x3 devid 0x40/);
    const step = trace.lastAtLine(line!.line);
    const row = eventRow(irRequest);
    trace.table.read(step, row);
    const state = trace.stateAt(step);
    const holders = Array.from({ length: trace.world.objects }, (_, object) => object).filter(
      (object) =>
        trace.world.type(object) === msixEntry &&
        state.known(object, msixEntry.at.data) !== 0 &&
        state.num(object, msixEntry.at.data) === 3,
    );
    const arrivals = holders.filter((entry) => arrived(state, entry, row)).map((entry) => trace.world.path(entry));
    assert.deepEqual(arrivals, ['device/0000:00:08.0/msix/3']);
    assert.ok(holders.length > 2);
  });
});
