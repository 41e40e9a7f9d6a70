// Messages through an AMD IOMMU: no record but the message that leaves the unit tells that the entry was used. Values of a capture of QEMU 10.0 with
// Linux 6.12, whose kernel uses logical destinations.
import assert from 'node:assert/strict';
import { pathAt } from '../../../src/query/delivery/path.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { story } from '../../helpers/story.ts';

const ENTRY = 'device/0000:00:03.0/msix/0';
const SETUP = `
  vec.update irq/32 vector=35 cpu=2 prevVector=0 prevCpu=2
  vec.config irq/32 vector=35 cpu=2 apicDest=0x4
  vec.config irq/33 vector=35 cpu=0 apicDest=0x1
  vec.config irq/34 vector=36 cpu=1 apicDest=0x2
  irq.identify irq/32 device="0000:00:03.0" hwirq=0 domain="IR-PCI-MSIX-0000:00:03.0"
  tbl.write ${ENTRY} offset=0x0 size=8 value=0xfee00000
  tbl.write ${ENTRY} offset=0x8 size=4 value=0x0
  ir.seen irte/amdvi-0x18 kind=AMD-Vi`;
const FIRST = 8;

/** A message of a requester through its table to vector 35 of the processor that a logical destination of 4 names. */
const message = (from: string, sid: string): string => `
  send ${from} address=0xfee00000 data=0x0 size=4 requester=${sid}
  ir.request irte/amdvi-${sid}/0 address=0xfee00000 data=0x0 sid=${sid}
  irte.readAmd irte/amdvi-${sid}/0 low=0x441 high=0x23
  ir.message irte/amdvi-${sid}/0 address=0xfee00000 data=0x0 newAddress=0xfee04004 newData=0x4023 entry=true
  apic.deliver vcpu/2/vector/35 dest=4 destMode=1 deliveryMode=0 vector=35 trigger=0`;
const HANDLER = `
  cpu2 irq.entry irq/32 name="nvme0q0"
  cpu2 irq.exit irq/32 handled=true`;

/** The steps of the delivery that a step belongs to. */
const hops = (trace: Trace, step: number): number[] => pathAt(trace, step)!.hops.map((hop) => hop.step);

describe('paths through an AMD IOMMU', () => {
  const at = (text: string): Trace => story(`${SETUP}${text}`);

  it('lead to the handler of the kernel', () => {
    assert.deepEqual(hops(at(message(ENTRY, '0x18') + HANDLER), FIRST), [8, 9, 10, 11, 12, 13, 14]);
  });

  it('lead there, too, where the recording of the kernel began after the irq got its vector: by the entry of the irq', () => {
    const setup = SETUP.split('\n').filter((line) => !/vec\./.test(line));
    const trace = story(`${setup.join('\n')}${message('ioapic/0/pin/23', '0xa0')}${message(ENTRY, '0x18')}${HANDLER}`);
    const first = setup.length - 1;
    assert.deepEqual(
      hops(trace, first + 5),
      Array.from({ length: 7 }, (_, i) => first + 5 + i),
    );
  });

  it('a message of another function to that vector, whose handler no record shows, does not take the handler', () => {
    const trace = at(message('ioapic/0/pin/23', '0xa0') + message(ENTRY, '0x18') + HANDLER);
    assert.deepEqual(hops(trace, FIRST + 5), [13, 14, 15, 16, 17, 18, 19]);
    assert.equal(pathAt(trace, FIRST)!.delivered, null);
  });

  it('two messages that one handler served do not shift those that follow', () => {
    const one = message(ENTRY, '0x18');
    const trace = at(one + one + HANDLER + one + HANDLER + one + HANDLER);
    // Steps 8 to 12, 13 to 17, the handler at 18, then each message with its own. Of the first one no record tells when the processor took it.
    assert.deepEqual(hops(trace, 13).slice(-2), [18, 19]);
    assert.deepEqual(hops(trace, 20), [20, 21, 22, 23, 24, 25, 26]);
    assert.deepEqual(hops(trace, 27), [27, 28, 29, 30, 31, 32, 33]);
    assert.equal(pathAt(trace, 8)!.delivered, null);
  });
});
