// Which CPU a destination names: physical and logical mode, xAPIC and x2APIC. All numbers are those of SDM vol. 3, "Determining IPI
// Destination": in x2APIC mode the logical id is (id >> 4) << 16 | 1 << (id & 15); Linux gives CPU n bit n in xAPIC flat mode.
import assert from 'node:assert/strict';
import { type Destinations, destinationsOf } from '../../src/model/apic-ids.ts';
import { linksOf } from '../../src/model/references.ts';
import { told } from '../helpers/told.ts';

/** What a kernel writes for its CPUs, as vector_config tells: for each the number and the destination. */
const config = (pairs: readonly (readonly [cpu: number, dest: number])[]): string[] =>
  pairs.map(([cpu, dest], i) => `vec.config irq/${40 + i} vector=34 cpu=${cpu} apicDest=0x${dest.toString(16)}`);

function kernel(...pairs: readonly (readonly [cpu: number, dest: number])[]): Destinations {
  const trace = told(...config(pairs));
  return destinationsOf(trace.head, trace.world.objectAt('irq/40'));
}

/** Two sockets in physical mode: APIC ids 0, 2, 0x20, 0x22. */
const PHYSICAL = [
  [0, 0x0],
  [1, 0x2],
  [2, 0x20],
  [3, 0x22],
] as const;
/** The same in x2APIC cluster mode. */
const CLUSTER = [
  [0, 0x1],
  [1, 0x4],
  [2, 0x20001],
  [3, 0x20004],
] as const;
/** Four CPUs in xAPIC flat mode. */
const FLAT = [
  [0, 0x1],
  [1, 0x2],
  [2, 0x4],
  [3, 0x8],
] as const;

describe('the CPU that a destination names', () => {
  it('in the mode in which the kernel writes: the CPU that it wrote it for', () => {
    for (const [pairs, logical, x2apic] of [
      [PHYSICAL, false, false],
      [PHYSICAL, false, true],
      [CLUSTER, true, true],
      [FLAT, true, false],
    ] as const)
      for (const [cpu, dest] of pairs) assert.equal(kernel(...pairs).cpuOf(dest, logical, x2apic), cpu, `${dest}`);
  });

  it('nobody where several are named, or the trace never showed the destination', () => {
    assert.equal(kernel(...FLAT).cpuOf(0x3, true, false), -1, 'CPUs 0 and 1');
    assert.equal(kernel(...FLAT).cpuOf(0xff, true, false), -1);
    assert.equal(kernel(...CLUSTER).cpuOf(0x20005, true, true), -1, 'CPUs 2 and 3');
    assert.equal(kernel(...CLUSTER).cpuOf(0xffffffff, true, true), -1, 'all');
    assert.equal(kernel(...PHYSICAL, [4, 0xff]).cpuOf(0xff, false, false), -1, 'all, in xAPIC mode');
    assert.equal(kernel(...PHYSICAL, [4, 0xff]).cpuOf(0xff, false, true), 4, 'an id like others in x2APIC mode');
    assert.equal(kernel(...PHYSICAL).cpuOf(0x4, false, true), -1);
    assert.equal(kernel().cpuOf(0, false, true), -1);
  });

  it('an entry in the other mode than the kernel writes: only in x2APIC mode one number follows from the other', () => {
    // Logical id 0x20004 is APIC id 0x22.
    assert.equal(kernel(...PHYSICAL).cpuOf(0x20004, true, true), 3);
    assert.equal(kernel(...PHYSICAL).cpuOf(0x4, true, true), 1);
    assert.equal(kernel(...PHYSICAL).cpuOf(0x4, true, false), -1, 'LDR of xAPIC is what software wrote');
    assert.equal(kernel(...CLUSTER).cpuOf(0x22, false, true), 3);
    assert.equal(kernel(...CLUSTER).cpuOf(0x2, false, true), 1);
    assert.equal(kernel(...CLUSTER).cpuOf(0x2, false, false), -1);
  });

  it('bit 1 of a kernel in flat mode is CPU 1, and no APIC id 2', () => {
    assert.equal(kernel(...FLAT).cpuOf(0x2, true, false), 1);
    assert.equal(kernel(...FLAT).cpuOf(0x2, false, false), -1);
    // Two CPUs of flat mode may as well be the APIC ids 1 and 2 of other CPUs.
    assert.equal(kernel([0, 1], [1, 2]).cpuOf(0x2, false, undefined), -1);
  });

  it('where the numbers may count in either way, the mode of the entry tells', () => {
    // A core first, then its sibling: APIC ids 0, 2, 1, 3.
    assert.equal(kernel([1, 0x4]).cpuOf(0x4, true, true), 1);
    assert.equal(kernel([1, 0x4]).cpuOf(0x4, false, false), 1);
    assert.equal(kernel([1, 0x1]).cpuOf(0x1, false, false), 1);
  });

  it('a CPU that gets another destination has the first one no more; one that two have is of neither', () => {
    assert.equal(
      kernel([0, 0x1], [0, 0x0], [1, 0x1]).cpuOf(0x1, false, false),
      1,
      'the driver of the local APIC changed',
    );
    assert.equal(kernel([0, 0x3], [1, 0x3]).cpuOf(0x3, false, false), -1);
  });

  it('the APIC id of a CPU, where its destination tells it', () => {
    const ids = (...pairs: readonly (readonly [number, number])[]): number[] =>
      [0, 1, 2, 3].map((cpu) => kernel(...pairs).apicIdOf(cpu));
    assert.deepEqual(ids(...PHYSICAL), [0x0, 0x2, 0x20, 0x22]);
    assert.deepEqual(ids(...CLUSTER), [0x0, 0x2, 0x20, 0x22]);
    assert.deepEqual(ids(...FLAT), [-1, -1, -1, -1]);
  });

  it('numbers of a damaged trace make no CPU', () => {
    const trace = told(
      'vec.config irq/40 vector=34 cpu=4000000000 apicDest=0x1',
      'vec.config irq/41 vector=0 cpu=70000 apicDest=0x1',
    );
    assert.equal(trace.world.find('cpu'), undefined);
  });
});

describe('where a remapping table entry leads', () => {
  /** VT-d 9.10: present, destination mode in bit 2, vector in bits 23:16, destination in bits 63:32. */
  const entry = (dest: number, logical: boolean): string =>
    `irte.read irte/0/20 value=0x${((BigInt(dest) << 32n) | (33n << 16n) | (logical ? 4n : 0n) | 1n).toString(16)}`;
  const target = (...events: readonly string[]): string | undefined => {
    const trace = told(...events);
    const link = linksOf(trace.head, trace.world.objectAt('irte/0/20')).find(({ name }) => name === 'target');
    return link && trace.world.path(link.target);
  };
  const place = (cpu: number): string => `vec.update irq/50 vector=33 cpu=${cpu} prevVector=0 prevCpu=0`;

  it('x2APIC cluster mode: the CPU with that logical id', () => {
    const unit = 'ir.mode irte/0 eim=true';
    assert.equal(target(unit, ...config(CLUSTER), place(3), entry(0x20004, true)), 'cpu/3/vector/33');
    assert.equal(target(unit, ...config(CLUSTER), place(3), entry(0x20005, true)), undefined);
    assert.equal(target(unit, ...config(PHYSICAL), place(3), entry(0x22, false)), 'cpu/3/vector/33');
  });

  it('xAPIC: the destination stands in bits 15:8', () => {
    const unit = 'ir.mode irte/0 eim=false';
    assert.equal(target(unit, ...config(FLAT), place(1), entry(0x200, true)), 'cpu/1/vector/33');
    assert.equal(target(unit, ...config(PHYSICAL), place(1), entry(0x200, false)), 'cpu/1/vector/33');
    assert.equal(target(unit, ...config(FLAT), place(1), entry(0x200, false)), undefined);
  });

  it('a log of the emulated machine names its processors by APIC ids: in x2APIC mode the logical id tells it', () => {
    const accept = 'apic.deliver vcpu/2/vector/33 dest=2 destMode=0 deliveryMode=0 vector=33 trigger=0';
    assert.equal(target('ir.mode irte/0 eim=true', accept, entry(0x4, true)), 'vcpu/2/vector/33');
    assert.equal(target('ir.mode irte/0 eim=false', accept, entry(0x400, true)), undefined);
  });
});
