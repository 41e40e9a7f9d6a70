// MSI-X tables in a QEMU log: accesses come with an absolute address and without a device. Whose they are follows from BARs,
// which come, go and move, and from the capability, which config accesses show.
import assert from 'node:assert/strict';
import { pathValue } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { wholly } from '../samples.ts';

/** A log of these lines, one thread, one microsecond apart. */
const log = (...lines: readonly string[]): Trace =>
  wholly(`${lines.map((l, i) => `7@1.${String(i).padStart(6, '0')}:${l}`).join('\n')}\n`).trace;

const mem = (
  rw: 'read' | 'write',
  address: number,
  value: string,
  size = 4,
  region = 'msix-table',
  mr = '0x1',
): string =>
  `memory_region_ops_${rw} cpu 0 mr ${mr} addr 0x${address.toString(16)} value ${value} size ${size} name '${region}'`;
const write = (address: number, value: string, size = 4): string => mem('write', address, value, size);
const map = (bdf: string, bar: number, address: number, size = 0x4000, name = 'nvme'): string =>
  `pci_update_mappings_add ${name} ${bdf} ${bar},0x${address.toString(16)}+0x${size.toString(16)}`;

const at = (trace: Trace, line: number, path: string): unknown =>
  pathValue(trace.stateAt(trace.lastAtLine(line)), path);
const value = (trace: Trace, line: number, path: string): unknown =>
  (at(trace, line, path) as { value: unknown } | null)?.value;
const end = (trace: Trace): number => trace.first.accounting.lines;

const BAR = 0xfe000000;
const TABLE = BAR + 0x2000;

describe('an MSI-X table of which only the address is known', () => {
  const lines = [
    write(TABLE, '0xfee00298'),
    write(TABLE + 0x1c, '0x1'),
    map('00:03.0', 0, BAR),
    write(TABLE + 0x20, '0xfee002b8'),
  ];
  const trace = log(...lines);

  it('has its entries under the address until its BAR is known', () => {
    assert.equal(value(trace, 2, 'table/0xfe002000/msix/0/address'), null, 'the upper half is unknown');
    assert.deepEqual((at(trace, 2, 'table/0xfe002000/msix/1/control') as { value: string }).value, '0x1');
    assert.equal(at(trace, 2, 'table/0xfe002000/address'), '0xfe002000');
    assert.equal(at(trace, 2, 'device'), null);
  });

  it('moves to its device as soon as that is known, with all that was written', () => {
    assert.equal(at(trace, 3, 'table'), null);
    assert.equal(value(trace, 3, 'device/0000:00:03.0/msix/1/control'), '0x1');
    assert.equal(at(trace, 3, 'device/0000:00:03.0/msix/0/writes'), 1);
    assert.equal(at(trace, 4, 'device/0000:00:03.0/msix/2/writes'), 1);
  });

  it('finds the entry numbers again when the capability shows that the table starts elsewhere', () => {
    // The first access is of entry 3; the table is taken to start on its page, as emulated ones do.
    const late = log(
      write(TABLE + 0x30, '0xfee00298'),
      write(TABLE + 0x1000, '0xfee002b8'),
      map('00:03.0', 0, BAR, 0x8000),
      'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
      'pci_cfg_read nvme 00:03.0 @0x40 -> 0x1fff0011',
      'pci_cfg_read nvme 00:03.0 @0x44 -> 0x2000',
      write(TABLE + 0x1010, '0xfee002d8'),
    );
    const writes = (i: number): unknown => at(late, end(late), `device/0000:00:03.0/msix/${i}/writes`);
    assert.deepEqual([writes(3), writes(256), writes(257)], [1, 1, 1]);
  });

  it('counts its entries from the start of the table, also where the first access lay further on', () => {
    const late = log(
      write(TABLE + 0x1010, '0xfee00298'),
      'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
      'pci_cfg_read nvme 00:03.0 @0x40 -> 0x1ff0011',
      'pci_cfg_read nvme 00:03.0 @0x44 -> 0x2000',
      map('00:03.0', 0, BAR, 0x8000),
    );
    assert.equal(at(late, 4, 'table/0xfe003000/msix/1/writes'), 1);
    assert.equal(at(late, 5, 'device/0000:00:03.0/msix/257/writes'), 1);
    assert.equal(at(late, 5, 'table'), null);
  });

  it('is told by the capability where the BAR holds more than the table', () => {
    const known = log(
      'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
      'pci_cfg_read nvme 00:03.0 @0x40 -> 0x50011',
      'pci_cfg_read nvme 00:03.0 @0x44 -> 0x2000',
      map('00:03.0', 0, BAR),
      write(TABLE + 0x30, '0xfee00298'),
    );
    assert.equal(at(known, 5, 'device/0000:00:03.0/msix/3/writes'), 1);
    assert.deepEqual(
      ['size', 'tableBar', 'tableOffset'].map((k) => at(known, 5, `device/0000:00:03.0/msixcap/${k}`)),
      [6, 0, 0x2000],
    );
  });

  it('may start at half an entry: offsets are multiples of 8 bytes (PCIe 7.7.2.3)', () => {
    const capability = [
      'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
      'pci_cfg_read nvme 00:03.0 @0x40 -> 0x50011',
      'pci_cfg_read nvme 00:03.0 @0x44 -> 0x2008',
    ];
    const entry = [
      write(TABLE + 0x18, '0xfee00298'),
      write(TABLE + 0x1c, '0x0'),
      write(TABLE + 0x20, '0x22'),
      write(TABLE + 0x24, '0x1'),
    ];
    const held = (trace: Trace, path: string): unknown[] =>
      ['address', 'data', 'control'].map((key) => value(trace, end(trace), `${path}/${key}`));
    const known = log(...capability, map('00:03.0', 0, BAR), ...entry);
    assert.deepEqual(held(known, 'device/0000:00:03.0/msix/1'), ['0xfee00298', '0x22', '0x1']);
    assert.equal(at(known, end(known), 'device/0000:00:03.0/msix/2'), undefined);
    // What was written before the start was known was taken for other fields.
    for (const lines of [
      [...entry, ...capability, map('00:03.0', 0, BAR)],
      [...entry, map('00:03.0', 0, BAR), ...capability],
    ]) {
      const late = log(...lines);
      assert.equal(at(late, end(late), 'table'), null);
      assert.deepEqual(at(late, end(late), 'device/0000:00:03.0/msix') ?? {}, {});
      const again = log(...lines, ...entry);
      assert.deepEqual(held(again, 'device/0000:00:03.0/msix/1'), ['0xfee00298', '0x22', '0x1']);
    }
  });

  it('a table that never finds its device stays where it is', () => {
    const lost = log(write(TABLE, '0xfee00298'), map('00:03.0', 0, 0xf0000000), write(TABLE + 4, '0x0'));
    assert.equal(value(lost, 3, 'table/0xfe002000/msix/0/address'), '0xfee00298');
    assert.equal(at(lost, 3, 'device/0000:00:03.0/msix'), undefined);
  });

  it('two unknown tables stay apart and find two devices', () => {
    const two = log(
      mem('write', TABLE, '0xfee00298', 4, 'msix-table', '0xa'),
      mem('write', 0xc000002000, '0xfee002b8', 4, 'msix-table', '0xb'),
      map('00:04.0', 4, 0xc000000000, 0x4000, 'virtio-blk-pci'),
      map('00:03.0', 0, BAR),
    );
    assert.deepEqual(Object.keys(at(two, 2, 'table') as object), ['0xfe002000', '0xc000002000']);
    assert.equal(at(two, 3, 'device/0000:00:04.0/msix/0/writes'), 1);
    assert.deepEqual(Object.keys(at(two, 3, 'table') as object), ['0xfe002000']);
    assert.equal(at(two, 4, 'device/0000:00:03.0/msix/0/writes'), 1);
    assert.equal(at(two, 4, 'table'), null);
  });
});

describe('routes', () => {
  it('carry what their entry held when they were written, and say whether that is still so', () => {
    const trace = log(
      map('00:03.0', 0, BAR, 0x4000, 'vfio-pci'),
      write(TABLE, '0xfee00000', 8),
      write(TABLE + 8, '0x22'),
      'kvm_irqchip_add_msi_route dev vfio-pci vector 0 virq 24',
      write(TABLE + 8, '0x23'),
      'kvm_irqchip_update_msi_route Updating MSI route virq=24',
      'kvm_irqchip_release_virq virq 24',
    );
    const route = (line: number): unknown[] =>
      ['data', 'current', 'updates'].map((k) => at(trace, line, `kvm/0/route/24/${k}`));
    assert.deepEqual(
      [route(4), route(5), route(6)],
      [
        ['0x22', true, 0],
        ['0x22', false, 0],
        ['0x23', true, 1],
      ],
    );
    assert.equal(at(trace, 7, 'kvm/0/route/24'), null);
  });
});

describe('BARs that move', () => {
  it('the table goes with its BAR; what lies at the old address later is another device', () => {
    const trace = log(
      map('00:06.0', 1, 0xfe7c9000, 0x1000, 'virtio-blk-pci'),
      write(0xfe7c9000, '0xfee00318'),
      'pci_update_mappings_del virtio-blk-pci 00:06.0 1,0xfe7c9000+0x1000',
      map('00:06.0', 1, 0x80000000, 0x1000, 'virtio-blk-pci'),
      write(0x80000004, '0x0'),
      map('00:07.0', 1, 0xfe7c9000, 0x1000, 'virtio-net-pci'),
      mem('write', 0xfe7c9000, '0xfee00338', 4, 'msix-table', '0x2'),
    );
    assert.equal(value(trace, 5, 'device/0000:00:06.0/msix/0/address'), '0xfee00318');
    assert.equal(at(trace, 7, 'device/0000:00:06.0/msix/0/writes'), 2);
    assert.equal(at(trace, 7, 'device/0000:00:07.0/msix/0/writes'), 1);
    assert.deepEqual(
      [at(trace, 3, 'device/0000:00:06.0/bar/1/mapped'), at(trace, 4, 'device/0000:00:06.0/bar/1/mapped')],
      [false, true],
    );
    assert.equal(at(trace, 4, 'device/0000:00:06.0/bar/1/address'), '0x80000000');
  });

  it('memory decode switched off and on again changes nothing', () => {
    const trace = log(
      map('00:03.0', 0, BAR),
      write(TABLE, '0xfee00298'),
      `pci_update_mappings_del nvme 00:03.0 0,0x${BAR.toString(16)}+0x4000`,
      map('00:03.0', 0, BAR),
      write(TABLE + 0x10, '0xfee002b8'),
    );
    assert.deepEqual(
      [0, 1].map((i) => at(trace, 5, `device/0000:00:03.0/msix/${i}/writes`)),
      [1, 1],
    );
  });
});

describe('accesses of an entry', () => {
  const E = 'device/0000:00:03.0/msix/0';
  const device = map('00:03.0', 0, BAR);

  it('of 8 bytes write two registers at once', () => {
    const trace = log(device, write(TABLE, '0xfee00298', 8), write(TABLE + 8, '0x100000022', 8));
    assert.equal(value(trace, 2, `${E}/address`), '0xfee00298');
    assert.deepEqual([value(trace, 3, `${E}/data`), value(trace, 3, `${E}/control`)], ['0x22', '0x1']);
    assert.equal(at(trace, 3, `${E}/control.mask`), true);
    assert.equal(at(trace, 3, `${E}/writes`), 2);
    const high = log(device, write(TABLE, '0x1fee00298', 8));
    assert.equal(value(high, 2, `${E}/address`), '0x1fee00298');
  });

  it('of 1 byte make only that byte known', () => {
    const trace = log(
      device,
      write(TABLE + 12, '0x1', 1),
      write(TABLE + 8, '0x22', 1),
      write(TABLE + 9, '0x40', 1),
      write(TABLE + 10, '0x0', 2),
    );
    assert.equal(at(trace, 2, `${E}/control.mask`), true, 'the byte with the mask bit');
    assert.equal(value(trace, 2, `${E}/control`), null, 'the other three bytes');
    assert.deepEqual([value(trace, 3, `${E}/data`), value(trace, 4, `${E}/data`)], [null, null]);
    assert.equal(value(trace, 5, `${E}/data`), '0x4022');
    assert.equal(at(trace, 2, `${E}/data.vector`) ?? null, null);
  });

  it('that read make known what they read, and count as reads', () => {
    const trace = log(device, mem('read', TABLE + 12, '0x1'), write(TABLE + 12, '0x0'), mem('read', TABLE + 12, '0x0'));
    assert.equal(value(trace, 2, `${E}/control`), '0x1');
    assert.deepEqual([at(trace, 4, `${E}/reads`), at(trace, 4, `${E}/writes`)], [2, 1]);
  });

  it('in the middle of a register fall where they belong', () => {
    const trace = log(device, write(TABLE + 4, '0x1'), write(TABLE + 2, '0xfee0', 2), write(TABLE, '0x298', 2));
    assert.equal(value(trace, 4, `${E}/address`), '0x1fee00298');
  });
});

describe('the pending bit array', () => {
  const capability = [
    'pci_cfg_read nvme 00:03.0 @0x34 -> 0x40',
    'pci_cfg_read nvme 00:03.0 @0x40 -> 0x450011',
    'pci_cfg_read nvme 00:03.0 @0x44 -> 0x2000',
    'pci_cfg_read nvme 00:03.0 @0x48 -> 0x3000',
    map('00:03.0', 0, BAR),
  ];
  const pending = (trace: Trace): unknown[] =>
    Array.from({ length: 70 }, (_, i) => pathValue(trace.head, `device/0000:00:03.0/msix/${i}/pending`) ?? null);

  it('a read tells the pending bits of its vectors, and of no more than there are', () => {
    const trace = log(
      ...capability,
      mem('read', BAR + 0x3000, '0x5', 4, 'msix-pba'),
      mem('read', BAR + 0x3004, '0x80000000', 4, 'msix-pba'),
      mem('read', BAR + 0x3008, '0xffffffff', 4, 'msix-pba'),
    );
    assert.equal(pathValue(trace.head, 'device/0000:00:03.0/msixcap/size'), 70);
    const set = pending(trace).flatMap((p, i) => (p === true ? [i] : []));
    assert.deepEqual(set, [0, 2, 63, 64, 65, 66, 67, 68, 69]);
    assert.equal(pending(trace)[1], false);
    assert.equal(pathValue(trace.head, 'device/0000:00:03.0/msix/70'), undefined, 'the table ends before');
  });

  it('of 8 bytes covers 64 vectors', () => {
    const trace = log(...capability, mem('read', BAR + 0x3000, '0x8000000000000001', 8, 'msix-pba'));
    const set = pending(trace).flatMap((p, i) => (p === true ? [i] : []));
    assert.deepEqual(set, [0, 63]);
    assert.equal(pending(trace)[64], null, 'not read');
  });

  it('a write is noted and changes nothing', () => {
    const { events } = wholly(
      [...capability, mem('write', BAR + 0x3000, '0xff', 4, 'msix-pba')].map((l) => `7@1.000000:${l}`).join('\n'),
    );
    assert.equal(events.at(-1), 'pba.write device/0000:00:03.0 first=0 size=4 value=0xff');
  });

  it('of a device that is not known is kept by its address', () => {
    const { events } = wholly(`7@1.000000:${mem('read', 0xfe003000, '0x1', 4, 'msix-pba')}\n`);
    assert.deepEqual(events, ['pba.read pba/0xfe003000 first=0 size=4 value=0x1']);
  });
});

describe('masks, causes and messages', () => {
  const setUp = [
    map('00:03.0', 0, BAR),
    write(TABLE, '0xfee00298'),
    write(TABLE + 4, '0x0'),
    write(TABLE + 8, '0x0'),
    'pci_cfg_write nvme 00:03.0 @0x42 <- 0xc005',
    'msix_write_config dev nvme enabled 1 masked 1',
  ];
  const E = 'device/0000:00:03.0/msix/0';

  it('a cause while masked is pending; the unmask sends it', () => {
    const trace = log(
      ...setUp,
      write(TABLE + 12, '0x0'),
      'pci_nvme_irq_msix raising MSI-X IRQ vector 0',
      'pci_cfg_write nvme 00:03.0 @0x42 <- 0x8005',
      'msix_write_config dev nvme enabled 1 masked 0',
      "memory_region_ops_write cpu 0 mr 0x9 addr 0xfee00298 value 0x0 size 4 name 'vtd-ir'",
    );
    const n = setUp.length;
    assert.equal(at(trace, n, `${E}/effectivelyMasked`), true);
    assert.equal(at(trace, n + 1, `${E}/effectivelyMasked`), true, 'the function mask still holds');
    assert.deepEqual(
      [n + 1, n + 2, n + 4].map((l) => at(trace, l, `${E}/pending`)),
      [null, true, false],
    );
    assert.equal(at(trace, n + 4, `${E}/effectivelyMasked`), false);
    assert.equal(at(trace, n + 5, `${E}/sends`), 1);
  });

  it('a message that two entries hold is nobody’s, unless one of them just raised or is the only one unmasked', () => {
    const both = [
      ...setUp,
      write(TABLE + 0x10, '0xfee00298'),
      write(TABLE + 0x14, '0x0'),
      write(TABLE + 0x18, '0x0'),
      'msix_write_config dev nvme enabled 1 masked 0',
    ];
    const send = "memory_region_ops_write cpu -1 mr 0x9 addr 0xfee00298 value 0x0 size 4 name 'vtd-ir'";
    const sent = (...more: string[]): string =>
      wholly([...both, ...more, send].map((l) => `7@1.000000:${l}`).join('\n')).events.at(-1)!;
    assert.match(sent(write(TABLE + 12, '0x0'), write(TABLE + 0x1c, '0x0')), /^send message\/0xfee00298\/0x0 /);
    assert.match(sent(write(TABLE + 12, '0x1'), write(TABLE + 0x1c, '0x0')), /^send device\/0000:00:03\.0\/msix\/1 /);
    assert.match(
      sent(write(TABLE + 12, '0x0'), write(TABLE + 0x1c, '0x0'), 'pci_nvme_irq_msix raising MSI-X IRQ vector 0'),
      /^send device\/0000:00:03\.0\/msix\/0 /,
    );
  });

  it('a rewritten entry no longer holds its old message', () => {
    const trace = log(
      ...setUp,
      'msix_write_config dev nvme enabled 1 masked 0',
      write(TABLE + 12, '0x0'),
      write(TABLE, '0xfee002b8'),
      "memory_region_ops_write cpu -1 mr 0x9 addr 0xfee00298 value 0x0 size 4 name 'vtd-ir'",
      "memory_region_ops_write cpu -1 mr 0x9 addr 0xfee002b8 value 0x0 size 4 name 'vtd-ir'",
    );
    assert.deepEqual(
      [setUp.length + 4, setUp.length + 5].map((l) => at(trace, l, `${E}/sends`)),
      [0, 1],
    );
  });
});
