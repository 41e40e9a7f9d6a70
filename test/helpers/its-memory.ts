// Reads the tables of an ITS from dumps of guest memory, as QEMU's ITS lays them out (device table in two levels, entries of
// the translation tables of 12 bytes, collections of 8).
import assert from 'node:assert/strict';
import { fixtureBytes, fixtureLines } from './fixtures.ts';

export interface ItsMemory {
  /** Size field and address of the translation table by DeviceID, valid ones only. */
  readonly devices: ReadonlyMap<number, { readonly size: number; readonly itt: number }>;
  /** `device/event` in decimal to LPI and collection, valid ones only. */
  readonly events: ReadonlyMap<string, { readonly lpi: number; readonly collection: number }>;
  /** Redistributor by ICID, valid ones only. */
  readonly collections: ReadonlyMap<number, number>;
}

const word = (bytes: Uint8Array, byte: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(byte, true);

/** The tables in the dumps of a capture. */
export function itsMemory(capture: string): ItsMemory {
  // An entry of the first level is valid (bit 63) and the address of 64 KiB of second level.
  const level1 = fixtureBytes(`${capture}/mem-baser0.bin`);
  const line = fixtureLines(`${capture}/its-tables.txt`).find((l) => l.text.startsWith('devtab-l2'))!.text;
  const where = /devtab-l2 index=0 base=(0x[0-9a-f]+)/.exec(line)!;
  assert.equal(word(level1, 0), (1n << 63n) | BigInt(where[1]!));
  const level2 = fixtureBytes(`${capture}/mem-devtab-l2-0.bin`);
  const devices = new Map<number, { size: number; itt: number }>();
  const events = new Map<string, { lpi: number; collection: number }>();
  for (let id = 0; id < level2.length / 8; id++) {
    const dte = word(level2, id * 8);
    if ((dte & 1n) === 0n) continue;
    const size = Number((dte >> 1n) & 0x1fn);
    devices.set(id, { size, itt: Number(((dte >> 6n) & 0xfffffffffffn) << 8n) });
    // Valid 0, type 1, INTID 25:2, collection 47:32, then the doorbell.
    const itt = fixtureBytes(`${capture}/mem-itt-${id.toString(16).padStart(4, '0')}.bin`);
    assert.equal(itt.length, 12 * 2 ** (size + 1));
    for (let event = 0; event < itt.length / 12; event++) {
      const ite = word(itt, event * 12);
      if ((ite & 1n) === 0n) continue;
      events.set(`${id}/${event}`, {
        lpi: Number((ite >> 2n) & 0xffffffn),
        collection: Number((ite >> 32n) & 0xffffn),
      });
    }
  }
  // Valid 0, redistributor from bit 1 on.
  const baser1 = fixtureBytes(`${capture}/mem-baser1.bin`);
  const collections = new Map<number, number>();
  for (let icid = 0; icid < baser1.length / 8; icid++) {
    const cte = word(baser1, icid * 8);
    if ((cte & 1n) === 1n) collections.set(icid, Number((cte >> 1n) & 0xffffn));
  }
  return { devices, events, collections };
}
