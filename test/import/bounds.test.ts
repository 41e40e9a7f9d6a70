// The limits that specifications set to numbers in logs: the last that is allowed means something, the first beyond does not.
import assert from 'node:assert/strict';
import { pathValue } from '../../src/query/state.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { ftraceEvents, qemuEvents, wholly } from './samples.ts';

const log = (...lines: readonly string[]): Trace =>
  wholly(`${lines.map((l, i) => `7@1.${String(i).padStart(6, '0')}:${l}`).join('\n')}\n`).trace;
const head = (path: string, ...lines: readonly string[]): unknown => pathValue(log(...lines).head, path) ?? null;
const last = (...lines: readonly string[]): string => qemuEvents(lines).at(-1)!;
const hex = (n: number): string => `0x${n.toString(16)}`;
const access = (address: number, value = '0x1', verb = 'write', region = " name 'msix-table'"): string =>
  `memory_region_ops_${verb} cpu 0 mr 0x1 addr ${hex(address)} value ${value} size 4${region}`;
const map = (bdf: string, bar: number, base: number, size: number, name = 'nvme'): string =>
  `pci_update_mappings_add ${name} ${bdf} ${bar},${hex(base)}+${hex(size)}`;

const BAR = 0xfe008000;

describe('an MSI-X table has 2048 entries at most (PCIe 7.7.2)', () => {
  const device = map('00:03.0', 0, BAR, 0x10000);

  it('a vector that a device raises is an entry up to 2047', () => {
    const raised = (vector: number): string => last(device, `pci_nvme_irq_msix raising MSI-X IRQ vector ${vector}`);
    assert.equal(raised(2047), 'dev.raise device/0000:00:03.0/msix/2047 vector=2047');
    assert.equal(raised(2048), 'dev.raise device/0000:00:03.0 vector=2048');
  });

  it('a route of KVM names an entry up to 2047', () => {
    const route = (vector: number): string =>
      last(
        map('00:03.0', 0, BAR, 0x10000, 'vfio-pci'),
        `kvm_irqchip_add_msi_route dev vfio-pci vector ${vector} virq 24`,
      );
    assert.match(route(2047), /entry=device\/0000:00:03\.0\/msix\/2047$/);
    assert.doesNotMatch(route(2048), /entry=/);
  });

  it('an access of a table is of an entry up to 2047', () => {
    const object = (index: number): string =>
      last(device, access(BAR, '0x0'), access(BAR + index * 16 + 12)).split(' ')[1]!;
    assert.equal(object(2047), 'device/0000:00:03.0/msix/2047');
    assert.doesNotMatch(object(2048), /^device/);
  });

  it('a hwirq that a probe shows is the index up to 2047', () => {
    const masked = (hwirq: number): string[] =>
      ftraceEvents(`pci_msix_mask: (pci_msi_mask_irq+0x0/0x60) irq=41 hwirq=${hwirq}`);
    assert.deepEqual(masked(2047), ['irq.mask irq/41 masked=true hwirq=2047']);
    // Kernels with one PCI/MSI domain compose it: index in bits 10:0, requester ID in bits 26:11 (pci_msi_domain_calc_hwirq).
    assert.deepEqual(masked(2048), [
      'irq.identify irq/41 device=0000:00:00.1 hwirq=0',
      'irq.mask irq/41 masked=true hwirq=0',
    ]);
  });
});

describe('a table belongs to the BAR that holds its address', () => {
  const owner = (address: number, ...maps: readonly string[]): string => last(...maps, access(address)).split(' ')[1]!;

  it('from the first byte of the BAR to its last', () => {
    const bar = map('00:03.0', 0, BAR, 0x1000);
    assert.equal(owner(BAR, bar), 'device/0000:00:03.0/msix/0');
    assert.equal(owner(BAR + 0xffc, bar), 'device/0000:00:03.0/msix/255');
    assert.equal(owner(BAR + 0x1000, bar), `table/${hex(BAR + 0x1000)}/msix/0`);
    assert.equal(owner(BAR + 0x100c, bar), `table/${hex(BAR + 0x1000)}/msix/0`);
    assert.equal(owner(BAR - 4, bar), `table/${hex(BAR - 0x1000)}/msix/255`);
    assert.equal(owner(BAR - 0xff4, bar), `table/${hex(BAR - 0x1000)}/msix/0`);
  });

  it('where it lies behind the start of the table', () => {
    const lines = [
      'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
      'pci_cfg_read nvme 00:03.0 @0x40 -> 0x30011',
      'pci_cfg_read nvme 00:03.0 @0x44 -> 0x800',
      map('00:03.0', 0, BAR, 0x1000),
    ];
    assert.equal(owner(BAR + 0x800, ...lines), 'device/0000:00:03.0/msix/0');
    assert.equal(owner(BAR + 0x7fc, ...lines), `table/${hex(BAR)}/msix/127`);
  });

  it('and not to a BAR that begins on the next page', () => {
    const maps = [map('00:05.0', 1, BAR + 0x1000, 0x1000, 'virtio-net-pci'), map('00:03.0', 0, BAR, 0x1000)];
    assert.equal(owner(BAR + 0x1c, ...maps), 'device/0000:00:03.0/msix/1');
  });

  it('also where the BAR becomes known later', () => {
    const next = map('00:05.0', 1, BAR + 0x1000, 0x1000, 'virtio-net-pci');
    const writes = (...maps: string[]): unknown =>
      head('device/0000:00:03.0/msix/1/writes', access(BAR + 0x1c), ...maps);
    assert.equal(writes(next, map('00:03.0', 0, BAR, 0x1000)), 1);
    assert.equal(head('device/0000:00:05.0/msix', access(BAR + 0x1c), next), null);
    assert.equal(head('device/0000:00:05.0/msix', access(BAR + 0xffc), next), null);
    const below = map('00:05.0', 1, BAR - 0x1000, 0x1000, 'virtio-net-pci');
    assert.equal(head('device/0000:00:05.0/msix', access(BAR + 0x1c), below), null);
  });

  it('which has a number up to 6, the expansion ROM', () => {
    assert.equal(owner(BAR + 12, map('00:03.0', 6, BAR, 0x1000)), 'device/0000:00:03.0/msix/0');
    assert.match(owner(BAR + 12, map('00:03.0', 7, BAR, 0x1000)), /^table\//);
  });
});

describe('BARs that only config accesses show', () => {
  const write = (offset: number, value: number): string =>
    `pci_cfg_write nvme 00:03.0 @${hex(offset)} <- ${hex(value)}`;
  const read = (offset: number, value: number): string => `pci_cfg_read nvme 00:03.0 @${hex(offset)} -> ${hex(value)}`;
  const owner = (address: number, ...lines: readonly string[]): string =>
    last(...lines, access(address)).split(' ')[1]!;
  /** A 64-bit BAR of 16 KiB in registers 0 and 1, at 0x40_fe000000. */
  const wide = [
    write(0x10, 0xffffffff),
    read(0x10, 0xffffc004),
    write(0x14, 0xffffffff),
    read(0x14, 0xffffffff),
    write(0x10, 0xfe000004),
    write(0x14, 0x40),
  ];
  const high = 0x40 * 2 ** 32;

  it('a 64-bit one lies where both halves say', () => {
    assert.equal(owner(high + 0xfe00000c, ...wide), 'device/0000:00:03.0/msix/0');
    assert.match(owner(0xfe00000c, ...wide), /^table\//);
    assert.match(owner(high + 0xfe00400c, ...wide), /^table\//, 'it has 16 KiB');
    assert.equal(owner(high + 0xfe003ffc, ...wide, access(high + 0xfe000000)), 'device/0000:00:03.0/msix/1023');
  });

  it('all ones in the upper half ask for the size and move nothing', () => {
    assert.equal(owner(high + 0xfe00000c, ...wide, write(0x14, 0xffffffff)), 'device/0000:00:03.0/msix/0');
    assert.match(owner(high + 0xfe00000c, ...wide, write(0x14, 0xfffffffe)), /^table\//, 'an address like others');
  });

  it('the last one is number 5, at offset 0x24; behind it are other registers', () => {
    const at = (offset: number): string[] => [write(offset, 0xffffffff), read(offset, 0xfffff000), write(offset, BAR)];
    assert.equal(owner(BAR + 12, ...at(0x24)), 'device/0000:00:03.0/msix/0');
    assert.match(owner(BAR + 12, ...at(0x28)), /^table\//);
  });
});

describe('interrupt messages of x86', () => {
  it('are writes to 0xfee00000 to 0xfeefffff, also where the log names no region', () => {
    const message = (address: number): string => access(address, '0x4031', 'write', '');
    const inside = [0xfee00000, 0xfee01000, 0xfeefffff];
    for (const address of inside)
      assert.match(last(message(address)), new RegExp(`^send message/${hex(address)}/0x4031 `));
    const { events } = wholly([0xfedfffff, 0xfee01000, 0xfef00000].map((a) => `7@1.000000:${message(a)}\n`).join(''));
    assert.equal(events.filter((e) => e.startsWith('send ')).length, 1);
  });

  it('reach one CPU by its number below 255 and a vector from 16 on; others go to the bus', () => {
    const to = (dest: number, mode: number, vector: number): string =>
      last(`apic_deliver_irq dest ${dest} dest_mode ${mode} delivery_mode 0 vector ${vector} trigger_mode 0`).split(
        ' ',
      )[1]!;
    assert.equal(to(0, 0, 16), 'vcpu/0/vector/16');
    assert.equal(to(254, 0, 255), 'vcpu/254/vector/255');
    assert.equal(to(255, 0, 64), 'apic/bus', '255 is a broadcast');
    assert.equal(to(1, 1, 64), 'apic/bus', 'a logical destination');
    assert.equal(to(0, 0, 15), 'apic/bus', 'vectors below 16 are illegal (SDM vol. 3, 11.5.2)');
  });
});

describe('what old kernels print as a vector', () => {
  it('is an errno from -4095 to -1 (MAX_ERRNO of include/linux/err.h)', () => {
    const alloc = (vector: number): string[] =>
      ftraceEvents(`vector_alloc: irq=4 vector=${vector >>> 0} reserved=0 ret=0`);
    assert.deepEqual(alloc(-1), ['vec.alloc irq/4 vector=0 reserved=false ret=-1']);
    assert.deepEqual(alloc(-4095), ['vec.alloc irq/4 vector=0 reserved=false ret=-4095']);
    assert.deepEqual(alloc(-4096), ['vec.alloc irq/4 vector=4294963200 reserved=false ret=0']);
  });
});
