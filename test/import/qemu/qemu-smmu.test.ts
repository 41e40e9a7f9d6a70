// A device behind an SMMU stores an I/O virtual address; the message that the log shows has the address after translation.
// The translation right before it tells which entry sent it, and which function (stream id = requester id).
import assert from 'node:assert/strict';
import { qemuEvents } from '../samples.ts';

const DOORBELL = 0x8090040;
const IOVA = 0xfffff040;
const hex = (n: number): string => `0x${n.toString(16)}`;
const map = (bdf: string, bar: number, base: number): string =>
  `pci_update_mappings_add virtio ${bdf} ${bar},${hex(base)}+0x1000`;
const write = (mr: string, address: number, value: number): string =>
  `memory_region_ops_write cpu 0 mr ${mr} addr ${hex(address)} value ${hex(value)} size 4 name 'msix-table'`;
const table = (mr: string, base: number): string[] => [IOVA, 0, 1, 0].map((value, i) => write(mr, base + 4 * i, value));
const translated = (sid: number, output = DOORBELL): string =>
  `smmuv3_translate_success smmuv3-iommu-memory-region sid=${hex(sid)} iova=${hex(IOVA)} translated=${hex(output)} perm=0x3`;
const sent = (address: number, data = 1): string =>
  `memory_region_ops_write cpu -1 mr 0x9 addr ${hex(address)} value ${hex(data)} size 4 name 'translation'`;

// Two functions whose first entries hold the same message.
const machine = [map('00:03.0', 1, 0x10000000), map('00:04.0', 1, 0x10001000)];
const tables = [...machine, ...table('0x1', 0x10000000), ...table('0x2', 0x10001000)];
const last = (...lines: readonly string[]): string => qemuEvents([...tables, ...lines]).at(-1)!;

describe('messages behind an SMMU', () => {
  it('belong to the entry of the function whose stream was translated', () => {
    assert.equal(
      last(translated(0x18), sent(DOORBELL)),
      `send device/0000:00:03.0/msix/0 address=${hex(DOORBELL)} data=0x1 size=4 requester=0x18`,
    );
    assert.equal(
      last(translated(0x20), sent(DOORBELL)),
      `send device/0000:00:04.0/msix/0 address=${hex(DOORBELL)} data=0x1 size=4 requester=0x20`,
    );
  });

  it('belong to nobody when the translation was for another address, or for the message before', () => {
    const nobody = `send message/${hex(DOORBELL)}/0x1 address=${hex(DOORBELL)} data=0x1 size=4`;
    assert.equal(last(sent(DOORBELL)), nobody);
    assert.equal(last(translated(0x18, DOORBELL + 0x10000), sent(DOORBELL)), nobody);
    assert.equal(last(translated(0x18), sent(DOORBELL), sent(DOORBELL)), nobody);
  });

  it('of another EventID are not those of the entry', () => {
    assert.equal(
      last(translated(0x18), sent(DOORBELL, 2)),
      `send message/${hex(DOORBELL)}/0x2 address=${hex(DOORBELL)} data=0x2 size=4 requester=0x18`,
    );
  });
});
