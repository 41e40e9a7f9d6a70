// Logs that print a config access without its size: the register at the offset tells it (PCI 3.0 6.1, 6.8.1; PCIe 7.7).
import assert from 'node:assert/strict';
import { qemuEvents } from '../samples.ts';

const DEVICE = 'nvme 00:03.0';
const read = (offset: number, value: string): string => `pci_cfg_read ${DEVICE} @0x${offset.toString(16)} -> ${value}`;

/** The size that a write of 1 at an offset is taken to have, after these lines. */
function size(offset: number, ...before: readonly string[]): number {
  const event = qemuEvents([...before, `pci_cfg_write ${DEVICE} @0x${offset.toString(16)} <- 0x1`]).at(-1)!;
  const found = /^cfg\.write device\/0000:00:03\.0 offset=(\S+) size=(\d) value=0x1$/.exec(event);
  assert.equal(Number(found?.[1]), offset, event);
  return Number(found?.[2]);
}

/** Capability list: one capability of that id at 0x40, with that Message Control. */
const capability = (id: number, control: number): string[] => [
  read(0x34, '0x40'),
  read(0x40, `0x${((control << 16) | id).toString(16)}`),
];
const MSIX = 0x11;
const MSI = 0x05;

describe('the size of a config access that the log does not print', () => {
  it('is 2 for Command, 4 for BARs, and as much as the value needs elsewhere', () => {
    const sizes = (offsets: readonly number[]): number[] => offsets.map((offset) => size(offset));
    assert.deepEqual(sizes([0x3, 0x4, 0x5, 0xf, 0x3c]), [1, 2, 1, 1, 1]);
    assert.deepEqual(sizes([0x10, 0x14, 0x18, 0x1c, 0x20, 0x24]), [4, 4, 4, 4, 4, 4]);
    assert.equal(size(0x28), 1, 'behind the last BAR');
    const other = (value: string): string => qemuEvents([`pci_cfg_write ${DEVICE} @0x60 <- ${value}`]).at(-1)!;
    assert.deepEqual(
      ['0xff', '0x100', '0xffff', '0x10000'].map((value) => / size=(\d)/.exec(other(value))?.[1]),
      ['1', '2', '2', '4'],
    );
  });

  it('follows the registers of the MSI-X capability: control 2, table 4, PBA 4', () => {
    const msix = capability(MSIX, 0x0003);
    assert.deepEqual(
      [0x41, 0x42, 0x43, 0x44, 0x45, 0x48, 0x4c].map((offset) => size(offset, ...msix)),
      [1, 2, 1, 4, 1, 4, 1],
    );
  });

  it('follows the registers of the MSI capability, which lie by its 64-bit and mask bits', () => {
    const offsets = [0x42, 0x44, 0x48, 0x4c, 0x50, 0x54, 0x58];
    const narrow = capability(MSI, 0x0000);
    const wide = capability(MSI, 0x0180);
    assert.deepEqual(
      offsets.slice(0, 3).map((offset) => size(offset, ...narrow)),
      [2, 4, 2],
    );
    // 64 bits: address, upper address, data, mask, pending.
    assert.deepEqual(
      offsets.map((offset) => size(offset, ...wide)),
      [2, 4, 4, 2, 4, 4, 1],
    );
    assert.deepEqual(
      [0x4e, 0x4d, 0x52].map((offset) => size(offset, ...wide)),
      [1, 1, 1],
    );
    // 32 bits with masks: data at 8, mask at 0xc, pending at 0x10.
    const masks = capability(MSI, 0x0100);
    assert.deepEqual(
      [0x44, 0x48, 0x4c, 0x50].map((offset) => size(offset, ...masks)),
      [4, 2, 4, 4],
    );
  });
});
