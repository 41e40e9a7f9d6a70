// How a VT-d unit reads a message, also where parts of it are not known. Entries are written bit by bit from VT-d 9.10.
import assert from 'node:assert/strict';
import {
  type EntryReading,
  readEntry,
  readMessage,
  sourceAllowed,
  type VtdConfiguration,
} from '../../src/model/vtd.ts';

const ALL = 0xffffffff;
const UNIT: VtdConfiguration = { enabled: true, eim: false, passes: false, entries: 256 };
/** Requester 03:00.0. */
const NIC = 0x300;

/** Words of an entry: P, vector 0x41 to APIC id 5 (bits 15:8 of DST), SVT 1, sid 0300. */
const PLAIN = [0x00410001, 0x500, 0x40300, 0];

const entry = (words: readonly number[], known: readonly number[] = [ALL, ALL, ALL, ALL]) => ({ words, known });

function read(words: readonly number[], known?: readonly number[], unit = UNIT, reserved = false): EntryReading {
  return readEntry(unit, entry(words, known), NIC, reserved);
}

const message = (address: number, data = 0) => ({ address, data, requester: NIC });

describe('VT-d reads a message', () => {
  it('off: everything passes; on: by its format', () => {
    assert.deepEqual(readMessage({ ...UNIT, enabled: false }, message(0xfee00000)), { kind: 'through' });
    assert.deepEqual(readMessage(UNIT, message(0xfee00000, 0x41)), { kind: 'fault', reason: 0x25, quiet: false });
    assert.deepEqual(readMessage({ ...UNIT, passes: true }, message(0xfee00000, 0x41)), { kind: 'through' });
    assert.equal(readMessage({ ...UNIT, passes: null }, message(0xfee00000, 0x41)).kind, 'untold');
    // Bit 4 remappable, handle 7 in bits 19:5.
    assert.deepEqual(readMessage(UNIT, message(0xfee000f0)), { kind: 'entry', index: 7, reserved: false });
    assert.deepEqual(readMessage(UNIT, message(0xfee02010)), {
      kind: 'fault',
      reason: 0x21,
      quiet: false,
      index: 256,
    });
    assert.equal(readMessage({ ...UNIT, entries: null }, message(0xfee02010)).kind, 'entry');
  });

  it('SHV adds the subhandle; its upper data bits are reserved', () => {
    assert.deepEqual(readMessage(UNIT, message(0xfee000f8, 2)), { kind: 'entry', index: 9, reserved: false });
    assert.deepEqual(readMessage(UNIT, message(0xfee000f8, 0x10002)), { kind: 'entry', index: 9, reserved: true });
  });

  it('a present entry leads to vector and APIC id, in both modes of destinations', () => {
    const to = { kind: 'remapped', vector: 0x41, destMode: 0, deliveryMode: 0, trigger: 0 };
    assert.deepEqual(read(PLAIN), { ...to, dest: 5 });
    assert.deepEqual(read(PLAIN, undefined, { ...UNIT, eim: true }), { ...to, dest: 0x500 });
  });

  it('faults in their order: not present, reserved bits, source, message', () => {
    const reason = (words: readonly number[], reserved = false): number | undefined => {
      const reading = read(words, undefined, UNIT, reserved);
      return reading.kind === 'fault' ? reading.reason : undefined;
    };
    assert.equal(reason([0, 0, 0, 0]), 0x22);
    // Bit 31 is reserved, the source is wrong as well.
    assert.equal(reason([0x80410001, 0x500, 0x40301, 0]), 0x24);
    assert.equal(reason([0x00410001, 0x500, 0x40301, 0], true), 0x26);
    assert.equal(reason(PLAIN, true), 0x20);
    assert.equal(reason(PLAIN), undefined);
  });

  it('FPD silences the faults of the entry, not the one of the message', () => {
    assert.deepEqual(read([2, 0, 0, 0]), { kind: 'fault', reason: 0x22, quiet: true });
    assert.deepEqual(read([0x00410003, 0x500, 0x40301, 0]), { kind: 'fault', reason: 0x26, quiet: true });
    const unqualified = read([0x00410003, 0x500, 0x40300, 0], undefined, UNIT, true);
    assert.deepEqual(unqualified, { kind: 'fault', reason: 0x20, quiet: false });
  });

  it('a posted entry names a descriptor: bits 63:38 and 127:96', () => {
    // IM bit 15, URG bit 14, vector 0x51; descriptor 0x1_4000_0040.
    assert.deepEqual(read([0x0051c001, 0x40000040, 0x40300, 1]), {
      kind: 'posted',
      descriptor: 0x140000040,
      vector: 0x51,
      urgent: true,
    });
  });

  it('what is not known is part of the answer, where it decides', () => {
    const what = (words: readonly number[], known: readonly number[], unit = UNIT): string | undefined => {
      const reading = read(words, known, unit);
      return reading.kind === 'untold' ? reading.what : undefined;
    };
    assert.match(what(PLAIN, [0, 0, 0, 0]) ?? '', /is present/);
    assert.match(what(PLAIN, [1, ALL, ALL, ALL]) ?? '', /remapped or the posted kind/);
    // A bit that is known to be clear decides although the rest is not known.
    assert.deepEqual(read([0, 0, 0, 0], [1, 0, 0, 0]), { kind: 'fault', reason: 0x22, quiet: false });
    assert.match(what(PLAIN, [0x7fffffff, ALL, ALL, ALL]) ?? '', /reserved bits/);
    assert.match(what(PLAIN, [ALL, ALL, 0xfff0ffff, ALL]) ?? '', /requesters/);
    assert.match(what(PLAIN, [ALL, 0, ALL, ALL]) ?? '', /leads/);
    assert.match(what(PLAIN, [ALL, ALL, ALL, ALL], { ...UNIT, eim: null }) ?? '', /EIME/);
    assert.equal(read([0x00410001, 0, 0x40300, 0], undefined, { ...UNIT, eim: null }).kind, 'remapped', 'APIC id 0');
  });

  it('whether a requester is let through is unknown only where an unknown bit decides', () => {
    // SVT in bits 83:82 is 19:18 of the word, SQ 17:16.
    assert.equal(sourceAllowed(entry([0, 0, 0, 0], [0, 0, 0xc0000, 0]), NIC), true, 'SVT 0');
    assert.equal(sourceAllowed(entry([0, 0, 0x40300, 0], [0, 0, 0xcffff, 0]), NIC), null, 'SQ not known');
    assert.equal(sourceAllowed(entry([0, 0, 0x80305, 0], [0, 0, 0xcffff, 0]), NIC), true, 'buses 3 to 5');
    assert.equal(sourceAllowed(entry([0, 0, 0xc0300, 0], [0, 0, 0xc0000, 0]), NIC), false, 'reserved');
  });
});
