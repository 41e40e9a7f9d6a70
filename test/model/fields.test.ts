import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Field } from '../../src/model/field.ts';
import { objectType } from '../../src/model/objects.ts';
import { beyondMask, type Layout, packRegister, type Register, writableMask } from '../../src/model/register.ts';
import { amdGuestIrte, amdIrte32, amdIrte128 } from '../../src/model/registers/amd.ts';
import { idxdMsixPermission, imsControl } from '../../src/model/registers/ims.ts';
import { allRegisters } from '../../src/model/registers/index.ts';
import {
  ENTRY_BYTES,
  MSIX_ENTRIES,
  msiControl,
  msixControl,
  msixControlBits,
  msixTable,
  msixVectorControl,
  offsetBytes,
  pciCommand,
  pciRequester,
} from '../../src/model/registers/pci.ts';
import { postedControl } from '../../src/model/registers/posted.ts';
import { apicIdOf, destinationOf, vtdIrte, vtdPostedIrte } from '../../src/model/registers/vtd.ts';
import {
  vtdAddressFor,
  vtdHandle,
  x86AddressFor,
  x86AddressWords,
  x86Destination,
} from '../../src/model/registers/x86.ts';
import { State } from '../../src/model/state.ts';
import { World } from '../../src/model/world.ts';

const holder = objectType('holder', 'A register of any width behind another cell.', {
  before: { kind: 'num', meaning: 'A cell before it.' },
  value: { kind: 'hex', words: 4, meaning: 'The register.' },
});

const wordsOf = (value: bigint): number[] => [0, 1, 2, 3].map((i) => Number((value >> BigInt(32 * i)) & 0xffffffffn));
const ones = ({ hi, lo }: Field): bigint => ((1n << BigInt(hi - lo + 1)) - 1n) << BigInt(lo);

/** A state with the bits of a value that `known` selects, and the object that holds it. */
function holding(value: bigint, known: bigint): { state: State; object: number } {
  const world = new World();
  const object = world.object(holder, 'holder/0');
  const state = new State(world);
  const masks = wordsOf(known);
  for (const [i, word] of wordsOf(value).entries()) state.setBits(object, holder.at.value + i, word, masks[i]!);
  return { state, object };
}

const allFields = allRegisters.flatMap((register) =>
  [register as Layout, ...(register.layouts ?? [])].flatMap((layout) => layout.fields),
);
const anyField = fc.constantFrom(...allFields);
const any128 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });

describe('fields of registers', () => {
  it('read from words, from the words of a register and from cells what their bits are', () => {
    fc.assert(
      fc.property(anyField, any128, (field, value) => {
        const wanted = Number((value & ones(field)) >> BigInt(field.lo));
        const words = wordsOf(value);
        const { state, object } = holding(value, (1n << 128n) - 1n);
        assert.equal(field.of(words[field.word]!, words[field.word + 1]), wanted);
        assert.equal(field.of(words[field.word]! | 0, (words[field.word + 1] ?? 0) | 0), wanted, 'signed words');
        assert.equal(field.read({ words, known: words.map(() => 0xffffffff) }), wanted);
        assert.equal(field.get(state, object, holder.at.value), wanted);
        const single = field.hi === field.lo;
        assert.equal(field.value(state, object, holder.at.value), single ? wanted === 1 : wanted);
        if (!single) return;
        assert.equal(field.in(words[field.word]!), wanted === 1);
        assert.equal(field.flag(state, object, holder.at.value), wanted === 1);
        assert.equal(field.flagIn(words[field.word]!, 0xffffffff), wanted === 1);
      }),
      { numRuns: 2000 },
    );
  });

  it('are unknown as soon as one of their bits is', () => {
    fc.assert(
      fc.property(anyField, any128, any128, (field, value, noise) => {
        fc.pre((noise & ones(field)) !== ones(field));
        const { state, object } = holding(value, noise);
        const known = wordsOf(noise);
        assert.equal(field.get(state, object, holder.at.value), -1);
        assert.equal(field.value(state, object, holder.at.value), null);
        assert.equal(field.flag(state, object, holder.at.value), undefined);
        assert.equal(field.read({ words: wordsOf(value), known }), null);
        if (field.hi === field.lo)
          assert.equal(field.flagIn(wordsOf(value)[field.word]!, known[field.word]!), undefined);
        const only = holding(value, ones(field));
        assert.notEqual(field.get(only.state, only.object, holder.at.value), -1, 'other bits do not matter');
      }),
      { numRuns: 2000 },
    );
  });

  it('are unknown when exactly one of their bits is', () => {
    const all = (1n << 128n) - 1n;
    for (const field of allFields)
      for (let bit = field.lo; bit <= field.hi; bit++) {
        const known = all ^ (1n << BigInt(bit));
        const { state, object } = holding(0n, known);
        assert.equal(field.get(state, object, holder.at.value), -1, `${field.name}, bit ${bit}`);
        assert.equal(field.read({ words: [0, 0, 0, 0], known: wordsOf(known) }), null, `${field.name}, bit ${bit}`);
      }
  });

  it('are unknown of no object', () => {
    const { state } = holding(0n, 0n);
    assert.equal(msixControl.f.enable.get(state, -1, 1), -1);
    assert.equal(msixControl.f.enable.flag(state, -1, 1), undefined);
  });

  it('put a value in place, and leave the other bits of a word alone', () => {
    const oneWord = allFields.filter((field) => field.highMask === 0);
    const any32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.constantFrom(...oneWord), any32, any32, (field, word, value) => {
        const kept = BigInt(value) & (ones(field) >> BigInt(field.lo));
        const placed = Number(kept << BigInt(field.shift));
        assert.equal(field.put(value), placed);
        const mask = ones(field) >> BigInt(32 * field.word);
        assert.equal(field.insert(word, value), Number((BigInt(word) & ~mask) | BigInt(placed)));
        assert.equal(BigInt(field.mask), mask);
        assert.equal(field.of(field.insert(word, value)), Number(kept));
      }),
      { numRuns: 1000 },
    );
  });

  it('no field is wider than 53 bits, and those of more than one word are packed whole', () => {
    for (const field of allFields) assert.equal(field.max, 2 ** (field.hi - field.lo + 1) - 1);
    const root = 0xab_cdef_0123;
    const words = packRegister(amdGuestIrte, { gaRoot: root });
    assert.deepEqual(words, wordsOf(BigInt(root) << 76n));
    assert.deepEqual(packRegister(amdGuestIrte, { gaRoot: BigInt(root) }), words);
  });
});

/** Where fields lie, from the specifications: name, highest and lowest bit. */
const PLACES: readonly (readonly [Register | Layout, Readonly<Record<string, readonly [number, number]>>])[] = [
  [pciCommand, { io: [0, 0], memory: [1, 1], busMaster: [2, 2], serr: [8, 8], intxDisable: [10, 10] }],
  [msixControl, { size: [10, 0], fmask: [14, 14], enable: [15, 15] }],
  [msixVectorControl, { mask: [0, 0], stLower: [23, 16], stUpper: [31, 24] }],
  [msixTable, { bir: [2, 0], offset: [31, 3] }],
  [
    msiControl,
    { enable: [0, 0], multipleCapable: [3, 1], multipleEnable: [6, 4], address64: [7, 7], maskable: [8, 8] },
  ],
  [pciRequester, { function: [2, 0], device: [7, 3], bus: [15, 8] }],
  [
    vtdIrte,
    {
      present: [0, 0],
      fpd: [1, 1],
      destMode: [2, 2],
      redirectionHint: [3, 3],
      trigger: [4, 4],
      deliveryMode: [7, 5],
      posted: [15, 15],
      vector: [23, 16],
      dest: [63, 32],
      sid: [79, 64],
      sq: [81, 80],
      svt: [83, 82],
    },
  ],
  [vtdPostedIrte, { posted: [15, 15], urgent: [14, 14], vector: [23, 16], pdaLow: [63, 38], pdaHigh: [127, 96] }],
  [
    amdIrte32,
    { present: [0, 0], intType: [4, 2], destMode: [6, 6], guestMode: [7, 7], dest: [15, 8], vector: [23, 16] },
  ],
  [amdIrte128, { dest: [31, 8], vector: [71, 64], destHigh: [127, 120] }],
  [postedControl, { on: [0, 0], sn: [1, 1], nv: [23, 16], ndst: [63, 32] }],
  [imsControl, { mask: [0, 0], pending: [1, 1], ignore: [2, 2], pasidEnable: [3, 3], pasid: [31, 12] }],
  [idxdMsixPermission, { ignore: [2, 2], pasidEnable: [3, 3], pasid: [31, 12] }],
];

describe('layouts', () => {
  it('fields lie where the specifications have them', () => {
    for (const [layout, places] of PLACES)
      for (const [name, [hi, lo]] of Object.entries(places)) {
        const field = (layout.f as Readonly<Record<string, Field>>)[name]!;
        assert.deepEqual([field.hi, field.lo], [hi, lo], name);
      }
  });

  it('MSI-X: enable is 0x8000, function mask 0x4000, a table has at most 2048 entries of 16 bytes', () => {
    assert.deepEqual(
      [msixControlBits(false, false), msixControlBits(true, false), msixControlBits(false, true)],
      [0, 0x8000, 0x4000],
    );
    assert.equal(MSIX_ENTRIES, 2048);
    assert.equal(ENTRY_BYTES, 16);
    assert.equal(offsetBytes(0x2003), 0x2000);
    assert.equal(msixTable.f.bir.of(0x2003), 3);
  });

  it('software writes bits 15 and 14 of MSI-X Message Control, and 0, 1, 2, 6, 8 and 10 of Command', () => {
    assert.deepEqual(writableMask(msixControl), [0xc000]);
    assert.deepEqual(writableMask(pciCommand), [0x547]);
    assert.equal(beyondMask(msixControl), 0xffff0000);
    assert.equal(beyondMask(vtdIrte), 0);
  });

  it('destinations: xAPIC ids lie in bits 15:8, x2APIC ids are the whole', () => {
    assert.equal(apicIdOf(0x300, false), 3);
    assert.equal(apicIdOf(0x12345678, true), 0x12345678);
    assert.equal(destinationOf(3, false), 0x300);
    assert.equal(destinationOf(0x103, true), 0x103);
  });

  it('messages: APIC id in 19:12 and 63:40, handle bits 14:0 in 19:5 and bit 15 in bit 2, SHV in bit 3', () => {
    assert.equal(x86AddressFor(3), 0xfee03000);
    assert.deepEqual(x86AddressWords(0x12345, 1), [0xfee45004, 0x12300]);
    assert.equal(x86Destination(0xfee45004, 0x12300), 0x12345);
    assert.equal(vtdAddressFor(0x25), 0xfee004b8);
    assert.equal(vtdAddressFor(0x8001), 0xfee0003c);
    assert.equal(vtdAddressFor(1, false), 0xfee00030);
    for (const index of [0, 1, 0x7fff, 0x8000, 0xffff]) assert.equal(vtdHandle(vtdAddressFor(index)), index);
  });
});
