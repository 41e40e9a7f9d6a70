// Processors that messages and table entries name by APIC ids, in rows of the list of interrupts.
import assert from 'node:assert/strict';
import { apicIdIn } from '../../src/model/apic-ids.ts';
import { interrupts } from '../../src/query/interrupts/list.ts';
import type { InterruptRow } from '../../src/query/interrupts/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureTrace, grep, importText } from '../helpers/fixtures.ts';
import { story } from '../helpers/story.ts';

const rows = (trace: Trace, step = trace.length - 1): InterruptRow[] => interrupts(trace, step).map(({ row }) => row);

/** An MSI-X entry with its message. */
const entry = (bdf: string, i: number, address: string, data: number): string => `
  tbl.write device/${bdf}/msix/${i} offset=0x0 size=8 value=${address}
  tbl.write device/${bdf}/msix/${i} offset=0x8 size=4 value=0x${data.toString(16)}`;

describe('a message without remapping', () => {
  it('holds vector and APIC id: the row leads to the virtual CPU of a log of the machine', () => {
    const text = `${entry('0000:00:0a.0', 1, '0xfee01000', 0x22)}
      apic.deliver vcpu/1/vector/34 dest=1 destMode=0 deliveryMode=0 vector=34 trigger=0`;
    const [row] = rows(story(text));
    assert.deepEqual([row!.vector, row!.vcpu, row!.last!.step], ['vcpu/1/vector/34', 'vcpu/1', 2]);
    // A logical destination names a set of processors.
    const [set] = rows(story(text.replace('0xfee01000', '0xfee01004'))).filter(({ entry: path }) => path !== null);
    assert.equal(set!.vector, null);
  });

  it('a capture of a machine without remapping: entry 1 of virtio-blk (x86-lost-events, lines 1611 to 1853)', () => {
    const trace = importText(`7381@1795149939.812349:pci_update_mappings_add virtio-blk-pci 00:0a.0 1,0xfebca000+0x1000
7381@1795149940.737920:memory_region_ops_write cpu 0 mr 0x555588166310 addr 0xfebca010 value 0xfee01000 size 4 name 'msix-table'
7381@1795149940.737922:memory_region_ops_write cpu 0 mr 0x555588166310 addr 0xfebca014 value 0x0 size 4 name 'msix-table'
7381@1795149940.737924:memory_region_ops_write cpu 0 mr 0x555588166310 addr 0xfebca018 value 0x22 size 4 name 'msix-table'
7334@1795149940.752601:memory_region_ops_write cpu -1 mr 0x555587338db0 addr 0xfee01000 value 0x22 size 4 name 'apic-msi'
7334@1795149940.752603:apic_deliver_irq dest 1 dest_mode 0 delivery_mode 0 vector 34 trigger_mode 0
`);
    const [row] = rows(trace);
    assert.deepEqual(
      [row!.entry, row!.vector, row!.vcpu],
      ['device/0000:00:0a.0/msix/1', 'vcpu/1/vector/34', 'vcpu/1'],
    );
  });
});

describe('x2APIC mode', () => {
  it('a logical destination with one member is one processor (SDM vol. 3, 11.12.10.2)', () => {
    for (const [logical, id] of [
      [0x1, 0],
      [0x2, 1],
      [0x8000, 15],
      [0x10001, 16],
      [0x30004, 50],
      [0x3, -1],
      [0x10000, -1],
    ] as const)
      assert.equal(apicIdIn(logical, true, true), id, `0x${logical.toString(16)}`);
  });

  it('x86-x2apic: the rows lead to the processors that the debugfs of the kernel names (FACTS C2, C4)', () => {
    // before/debug_irq/irqs/34 (eth1-rx-0, IRTE 28): Vector 40, Target 0; DstID of the entry 00000001.
    const name = 'x86-x2apic/qemu.log';
    const [line] = grep(name, /vtd_ir_remap index 28 .*vector 40 .*dest 0x1 mode 1/);
    const trace = fixtureTrace(name);
    const deliver = grep(name, /apic_deliver_irq dest 1 dest_mode 1 .*vector 40 /).find((l) => l.line > line!.line)!;
    const row = rows(trace, trace.lastAtLine(deliver.line)).find(({ irte }) => irte === 'irte/0/28')!;
    assert.deepEqual([row.entry, row.vector, row.vcpu], ['device/0000:00:04.0/msix/0', 'vcpu/0/vector/40', 'vcpu/0']);
  });
});
