// Causes that wait at once: of the queues of a virtio device, and of the vectors of an MSI function.
import assert from 'node:assert/strict';
import { msi } from '../../../src/model/things/pci.ts';
import { funnelOf } from '../../../src/query/delivery/funnel.ts';
import { pathAt } from '../../../src/query/delivery/path.ts';
import { RecordedKinds } from '../../../src/query/recorded-kinds.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { story } from '../../helpers/story.ts';
import { lines, pathThrough, text } from './lines.ts';

describe('two queues of one virtio device that wait at once', () => {
  // As in the x86 capture with VT-d from line 294954 on. QEMU allocates the queues in one array, and the driver gave queue n the vector
  // whose message selects remapping entry 26 + n: so it is known which message is of which queue.
  const notify = (n: number, how = '_irqfd'): string =>
    `30197@1795148702.19784${n}:virtio_notify${how} vdev 0x55a560b35a30 vq 0x${(0x7f8de4465010 + n * 0x98).toString(16)}`;
  const message = (n: number, thread = 30197): string =>
    `${thread}@1795148702.19789${n}:memory_region_ops_write cpu -1 mr 0x55a5606c0790 addr 0x${(0xfee00358 + n * 0x20).toString(16)} value 0x0 size 4 name 'vtd-ir'`;
  const other = [
    '30197@1795148702.197863:pci_nvme_irq_msix raising MSI-X IRQ vector 2',
    "30197@1795148702.197866:memory_region_ops_write cpu -1 mr 0x55a5606c0790 addr 0xfee002d8 value 0x0 size 4 name 'vtd-ir'",
  ];
  /** Each queue alone: nothing else can have sent what follows. */
  const alone = [notify(0), message(0), notify(1), ...other, message(1), notify(3), message(3)];

  it('each message belongs to the cause of its own queue, in whatever order they come', () => {
    const orders = [
      [0, 1, 3],
      [3, 1, 0],
      [1, 3, 0],
    ];
    for (const order of orders) {
      const trace = text([...alone, notify(3), notify(1), notify(0), ...other, ...order.map((n) => message(n))]);
      const causes = { 3: 9, 1: 10, 0: 11 } as Readonly<Record<number, number>>;
      for (const [i, n] of order.entries()) {
        const line = 14 + i;
        assert.equal(lines(trace, causes[n]!), `${causes[n]}:cause ${line}:message`, `${order} of queue ${n}`);
        assert.equal(lines(trace, line), `${causes[n]}:cause ${line}:message`);
      }
    }
  });

  it('what comes later tells it, too', () => {
    const trace = text([notify(1), notify(0), ...other, message(0), message(1), ...alone]);
    assert.equal(lines(trace, 1), '1:cause 6:message');
    assert.equal(lines(trace, 2), '2:cause 5:message');
  });

  it('where nothing tells which is which, no message is given to the wrong one', () => {
    const trace = text([notify(1), notify(0), ...other, message(0), message(1)]);
    for (const line of [1, 2]) assert.equal(lines(trace, line), `${line}:cause`);
    for (const line of [5, 6]) assert.equal(lines(trace, line), `${line}:message`);
    assert.equal(pathThrough(trace, 1)!.delivered, null);
  });

  it('a queue whose device sends at once has the message behind it, while another one waits behind its mask', () => {
    const trace = text([notify(0, ''), notify(1, ''), message(1), message(0, 30205)]);
    assert.equal(lines(trace, 2), '2:cause 3:message');
    // The thread of a virtual CPU clears the mask and sends; that it is of queue 0 is known where the queue was seen to send before.
    assert.equal(lines(trace, 1), '1:cause');
    const known = text([notify(0, ''), message(0), notify(0, ''), notify(1, ''), message(1), message(0, 30205)]);
    assert.equal(lines(known, 3), '3:cause 6:message');
    assert.equal(lines(known, 4), '4:cause 5:message');
  });

  it('a message of another queue of which no record tells the cause is not that of the one that waits', () => {
    const trace = text([...alone, notify(1), message(3), message(1)]);
    assert.equal(lines(trace, 9), '9:cause 11:message');
    assert.equal(lines(trace, 10), '10:message');
  });

  it('a driver that chooses another vector for a queue, or exchanges those of two', () => {
    const trace = text([
      ...[notify(0), message(0)],
      ...[notify(0), notify(1), message(2), message(1)],
      ...[notify(1), message(1), notify(0), message(2)],
    ]);
    assert.equal(lines(trace, 1), '1:cause 2:message');
    assert.equal(lines(trace, 3), '3:cause 5:message', 'queue 1 sends by another entry');
    assert.equal(lines(trace, 9), '9:cause 10:message');
    // Two queues that exchange their vectors: it shows when it happens again and again.
    const pair = (queue: number, entry: number): string[] => [notify(queue), message(entry)];
    const swapped = [pair(0, 1), pair(1, 0)].flat();
    const both = text([
      ...[pair(0, 0), pair(1, 1)].flat(),
      ...[swapped, swapped, swapped, swapped].flat(),
      ...[notify(0), notify(1), message(0), message(1)],
    ]);
    assert.equal(lines(both, 21), '21:cause 24:message');
    assert.equal(lines(both, 22), '22:cause 23:message');
  });
});

describe('the vectors of an MSI function', () => {
  // A 64 bit capability with mask bits (control bits 8 and 7) that asks for 4 vectors (bits 3:1 are 2) and gets them (bits 6:4 are 2);
  // its mask bits are at +0x10, its pending bits at +0x14 (PCIe 7.7.1).
  const setUp = (mask: string): string[] => [
    '1@1.000001:pci_cfg_read megasas 00:05.0 @0x34 -> 0x50',
    '1@1.000002:pci_cfg_read megasas 00:05.0 @0x50 -> 0x1840005',
    '1@1.000003:pci_cfg_write megasas 00:05.0 @0x54 <- 0xfee01000',
    '1@1.000004:pci_cfg_write megasas 00:05.0 @0x58 <- 0x0',
    '1@1.000005:pci_cfg_write megasas 00:05.0 @0x5c <- 0x4040',
    `1@1.000006:pci_cfg_write megasas 00:05.0 @0x60 <- ${mask}`,
    '1@1.000007:pci_cfg_write megasas 00:05.0 @0x52 <- 0x1a5',
  ];
  const raise = (vector: number): string => `1@1.000010:megasas_msi_raise vector ${vector}`;
  const unmask = (mask: string): string => `2@1.000020:pci_cfg_write megasas 00:05.0 @0x60 <- ${mask}`;
  const message = (data: string): string =>
    `2@1.000021:memory_region_ops_write cpu 0 mr 0x55a5606c0790 addr 0xfee01000 value ${data} size 4 name 'apic-msi'`;
  /** The pending bits behind a line. */
  const pending = (trace: Trace, line: number): number =>
    trace.stateAt(trace.lastAtLine(line)).get(trace.world.objectAt('device/0000:00:05.0/msi'), msi.at.pending);

  it('causes of two masked vectors wait apart, and each gets its own message', () => {
    const trace = text([...setUp('0xf'), raise(1), raise(3), unmask('0x0'), message('0x4041'), message('0x4043')]);
    assert.equal(lines(trace, 8), '8:cause 11:message');
    assert.equal(lines(trace, 9), '9:cause 12:message');
    assert.equal(pending(trace, 9), 0b1010, 'each sets its own pending bit');
    assert.equal(pending(trace, 10), 0, 'both are sent at the unmask (PCIe 6.1.4.5)');
    // In the other order, and with a second cause of one of them, which the same message serves.
    const twice = text([
      ...setUp('0xf'),
      raise(1),
      raise(3),
      raise(1),
      unmask('0x0'),
      message('0x4043'),
      message('0x4041'),
    ]);
    assert.equal(lines(twice, 9), '9:cause 12:message');
    assert.equal(lines(twice, 10), '8:cause 10:cause 13:message');
  });

  it('a vector that is not masked sends, while another one of the same function waits', () => {
    const trace = text([...setUp('0x8'), raise(3), raise(1), message('0x4041'), unmask('0x0'), message('0x4043')]);
    assert.equal(lines(trace, 9), '9:cause 10:message');
    assert.equal(lines(trace, 8), '8:cause 12:message');
    assert.equal(pending(trace, 10), 0b1000);
  });

  it('says which vector is masked, and whether its own pending bit is set', () => {
    const trace = text([...setUp('0xa'), raise(1), raise(3), unmask('0x8'), message('0x4041')]);
    assert.equal(pathThrough(trace, 8)!.delivered, null);
    const { delivered, reason, hops } = pathThrough(trace, 9)!;
    assert.equal(delivered, false);
    // Line 10 writes the mask bits, too, and leaves that of vector 3 set.
    const since = trace.lastAtLine(6);
    assert.equal(reason, `vector 3 of MSI is masked since step ${since} (1.000006), pending set, no unmask follows`);
    assert.match(hops[0]!.detail, /MSI enable 1, vector mask 1, pending 1 \(masked: no message now\)$/);
    assert.equal(pending(trace, 10), 0b1000, 'the bit of vector 1 went with its message');
    const open = text([...setUp('0xa'), raise(2), message('0x4042')]);
    assert.match(pathThrough(open, 8)!.hops[0]!.detail, /vector mask 0, pending \S$/);
  });

  it('the funnel counts them one by one', () => {
    const trace = text([...setUp('0xf'), raise(1), raise(3), unmask('0x8'), message('0x4041')]);
    const cap = trace.world.objectAt('device/0000:00:05.0/msi');
    const recorded = new RecordedKinds(trace);
    const { deliveries, lost } = funnelOf(trace, new Set([cap]), 0, trace.length - 1, (kind) => recorded.has(kind));
    assert.deepEqual([deliveries, lost], [2, 1]);
  });
});

describe('a cause that goes away without a message', () => {
  const entry = 'device/0000:03:00.0/msix/2';
  const deliveredBy = (table: string): boolean | null | undefined => {
    const trace = story(`dev.raise ${entry}
      send ${table} address=0xfee00000 data=0x22
      dev.withdraw ${entry}`);
    return pathAt(trace, 0, new RecordedKinds(trace))?.delivered;
  };

  it('was served by polling; where a table whose function is not known sent for its number, nobody knows', () => {
    assert.equal(deliveredBy('device/0000:04:00.0/msix/2'), false);
    assert.equal(deliveredBy('table/0xfe7c2000/msix/1'), false);
    assert.equal(deliveredBy('table/0xfe7c2000/msix/2'), null);
  });
});
