import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Register } from '../../src/model/register.ts';
import {
  type Bits,
  type Field,
  fieldsFor,
  fieldValue,
  layoutFor,
  packRegister,
  viewRegister,
} from '../../src/model/register.ts';
import { amdData, amdDteInterrupt, amdIrte32, amdIrte128 } from '../../src/model/registers/amd.ts';
import { idxdDescriptorInterrupt, idxdMsixPermission, imsControl } from '../../src/model/registers/ims.ts';
import { allRegisters } from '../../src/model/registers/index.ts';
import {
  firstLpi,
  itsCommandByOpcode,
  itsCommands,
  itsCte,
  itsDte,
  itsErrors,
  itsIte,
  itsLevel1,
  lpiConfig,
} from '../../src/model/registers/its.ts';
import { msixControl } from '../../src/model/registers/pci.ts';
import { postedControl } from '../../src/model/registers/posted.ts';
import {
  iecDescriptor,
  intelIrHwirq,
  irtaRegister,
  postedDescriptorAddress,
  vtdFaultReasons,
  vtdIrte,
  vtdPostedIrte,
} from '../../src/model/registers/vtd.ts';

/** The words of a number, lowest first. */
function wordsOf(value: bigint, width: number): number[] {
  return Array.from({ length: Math.ceil(width / 32) }, (_, i) => Number((value >> BigInt(32 * i)) & 0xffffffffn));
}

/** A value of which every bit is known. */
function known(value: bigint, width: number): Bits {
  return { words: wordsOf(value, width), known: wordsOf((1n << BigInt(width)) - 1n, width) };
}

const view = (register: Register, value: bigint) => viewRegister(register, known(value, register.width)).fields;
const joined = (words: readonly number[]): bigint => words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
const maskOf = ({ hi, lo }: Field): bigint => ((1n << BigInt(hi - lo + 1)) - 1n) << BigInt(lo);
const asBigInt = (value: unknown): bigint => BigInt(value as number | boolean | string);
const isReserved = (field: Field): boolean => field.access.startsWith('Rsvd');

/** An IRTE from its halves, as QEMU's vtd_ir_irte_get prints them: there `low` is bits 127:64 and `high` bits 63:0. */
const irte = (qemuLow: bigint, qemuHigh: bigint): bigint => (qemuLow << 64n) | qemuHigh;

describe('register descriptions', () => {
  it('all of them are listed', async () => {
    const dir = join(import.meta.dirname, '../../src/model/registers');
    const names = new Set(allRegisters.map((register) => register.name));
    for (const file of readdirSync(dir)) {
      const exports: Record<string, unknown> = await import(join(dir, file));
      for (const value of Object.values(exports)) {
        const like = value as Partial<Register> | undefined;
        if (like?.fields !== undefined && like.width !== undefined)
          assert.ok(names.has(like.name!), `${file} ${like.name}`);
      }
    }
    assert.equal(names.size, allRegisters.length, 'two registers of the same name');
  });

  for (const register of allRegisters) {
    it(register.name, () => {
      assert.ok(register.width >= 8 && register.width <= 128 && register.width % 8 === 0);
      assert.match(register.spec, /\w{3}/);
      assert.match(register.meaning, /\.$/);
      for (const fields of [register.fields, ...(register.layouts ?? []).map((layout) => layout.fields)]) {
        const owner = new Array<string | undefined>(register.width).fill(undefined);
        for (const { hi, lo, name } of fields) {
          assert.ok(lo >= 0 && hi >= lo && hi < register.width, `${name} lies outside`);
          for (let bit = lo; bit <= hi; bit++) {
            assert.equal(owner[bit], undefined, `bit ${bit} is in ${owner[bit]} and ${name}`);
            owner[bit] = name;
          }
        }
        assert.equal(owner.indexOf(undefined), -1, 'a bit belongs to no field');
        assert.equal(new Set(fields.map((field) => field.name)).size, fields.length, 'two fields of the same name');
        for (const field of fields) {
          const limit = 2 ** (field.hi - field.lo + 1);
          assert.match(field.meaning, /\.$/, field.name);
          assert.match(field.name, /^[a-z][a-zA-Z0-9]*$/);
          if (field.reset !== undefined) assert.ok(field.reset >= 0 && field.reset < limit, field.name);
          for (const value of Object.keys(field.values ?? {})) assert.ok(Number(value) < limit, field.name);
        }
      }
    });
  }
});

describe('registers packed and viewed', () => {
  const anyRegister = fc.constantFrom(...allRegisters);
  const registerAndBits = anyRegister.chain((register) => {
    const max = (1n << BigInt(register.width)) - 1n;
    return fc.record({
      register: fc.constant(register),
      value: fc.bigInt({ min: 0n, max }),
      mask: fc.bigInt({ min: 0n, max }),
    });
  });

  it('a field is its bits', () => {
    fc.assert(
      fc.property(registerAndBits, ({ register, value }) => {
        const bits = known(value, register.width);
        for (const field of fieldsFor(register, bits)) {
          // The upper bits of an address are shown in place.
          const wanted = (value & maskOf(field)) >> BigInt(field.address === true ? 0 : field.lo);
          assert.equal(asBigInt(fieldValue(field, bits)), wanted, field.name);
        }
        assert.equal(viewRegister(register, bits).value, `0x${value.toString(16)}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('what was packed is viewed again, in every layout', () => {
    fc.assert(
      fc.property(registerAndBits, ({ register, value }) => {
        const layout = layoutFor(register, known(value, register.width));
        const { fields } = layout;
        const seen = view(register, value);
        const low = (name: string): number => {
          const field = fields.find((f) => f.name === name);
          return field?.address === true ? field.lo : 0;
        };
        const values = Object.fromEntries(
          Object.entries(seen).map(([name, v]) => [name, asBigInt(v) >> BigInt(low(name))]),
        );
        const packed = joined(packRegister(layout, values));
        const kept = fields.filter((field) => !isReserved(field)).reduce((sum, field) => sum | maskOf(field), 0n);
        assert.equal(packed, value & kept);
        assert.deepEqual(view(register, packed), seen);
      }),
      { numRuns: 2000 },
    );
  });

  it('exactly the fields with an unknown bit are null', () => {
    fc.assert(
      fc.property(registerAndBits, ({ register, value, mask }) => {
        const bits: Bits = { words: wordsOf(value, register.width), known: wordsOf(mask, register.width) };
        const seen = viewRegister(register, bits);
        for (const field of fieldsFor(register, bits)) {
          if (isReserved(field)) continue;
          const whole = (mask & maskOf(field)) === maskOf(field);
          assert.equal(seen.fields[field.name] === null, !whole, field.name);
        }
        assert.equal(seen.value === null, mask !== (1n << BigInt(register.width)) - 1n);
      }),
      { numRuns: 2000 },
    );
  });

  it('a layout is chosen only by known bits', () => {
    const words = [0x8000, 0, 0, 0];
    assert.equal(fieldsFor(vtdIrte, { words, known: [0x8000, 0, 0, 0] }), vtdIrte.layouts![0]!.fields);
    assert.equal(fieldsFor(vtdIrte, { words, known: [0x7fff, 0, 0, 0] }), vtdIrte.fields);
  });

  it('refuses a field that the register does not have', () => {
    // @ts-expect-error The compiler refuses a name that the layout does not have.
    assert.throws(() => packRegister(vtdIrte, { pdaLow: 1 }), /there is no field pdaLow/);
  });
});

describe('PCI values', () => {
  it('Message Control 0xc080: enabled, function mask, 129 entries', () => {
    assert.deepEqual(view(msixControl, 0xc080n), { size: 128, fmask: true, enable: true });
  });
});

describe('VT-d values', () => {
  const remapped = {
    present: true,
    fpd: false,
    destMode: false,
    redirectionHint: true,
    trigger: false,
    deliveryMode: 0,
    avail: 0,
    posted: false,
    sq: 0,
    svt: 1,
  };

  it('xAPIC entries: the APIC id is in bits 15:8 of dest', () => {
    assert.deepEqual(view(vtdIrte, irte(0x40018n, 0x210009n)), { ...remapped, vector: 33, dest: 0, sid: 0x18 });
    assert.deepEqual(view(vtdIrte, irte(0x40020n, 0x200002a0009n)), {
      ...remapped,
      vector: 42,
      dest: 2 << 8,
      sid: 0x20,
    });
    assert.deepEqual(view(vtdIrte, irte(0x40020n, 0x20000260009n)), {
      ...remapped,
      vector: 38,
      dest: 2 << 8,
      sid: 0x20,
    });
    assert.deepEqual(view(vtdIrte, irte(0x40020n, 0x30000210009n)), {
      ...remapped,
      vector: 33,
      dest: 3 << 8,
      sid: 0x20,
    });
  });

  it('x2APIC entry: dest is the logical id', () => {
    const wanted = { ...remapped, destMode: true, vector: 40, dest: 1, sid: 0x20 };
    assert.deepEqual(view(vtdIrte, irte(0x40020n, 0x10028000dn)), wanted);
  });

  it('posted entry: the address of the descriptor is put together from two fields', () => {
    const address = 0x1_2345_6780n;
    const words = packRegister(vtdPostedIrte, {
      present: 1,
      posted: 1,
      urgent: 1,
      vector: 0x41,
      pdaLow: (address & 0xffffffffn) >> 6n,
      pdaHigh: address >> 32n,
      sid: 0x18,
      svt: 1,
    });
    const value = joined(words);
    assert.equal(value & 0xffffffffffffffffn, 0x2345_6780_0041_c001n);
    assert.equal(value >> 64n, 0x1_0004_0018n);
    const bits = known(value, 128);
    assert.equal(postedDescriptorAddress(bits), '0x123456780');
    assert.equal(postedDescriptorAddress({ ...bits, known: [~0, ~0, ~0, 0] }), null);
    const fields = view(vtdIrte, value);
    assert.equal(fields.urgent, true);
    assert.equal(fields.vector, 0x41);
    assert.equal('dest' in fields, false);
  });

  it('invalidation of entry 0x25', () => {
    const wanted = { type: 4, granularity: true, mask: 0, index: 0x25 };
    assert.deepEqual(view(iecDescriptor, 0x2500000014n), wanted);
    assert.deepEqual(view(iecDescriptor, 0x2300000014n), { ...wanted, index: 0x23 });
  });

  it('hwirq numbers of the INTEL-IR domain', () => {
    assert.deepEqual(view(intelIrHwirq, 0x25n << 16n), { index: 0x25, subhandle: 0 });
    assert.deepEqual(view(intelIrHwirq, 0x1c0000n), { index: 28, subhandle: 0 });
  });

  it('table address register', () => {
    assert.deepEqual(view(irtaRegister, 0x330_080fn), { size: 15, eime: true, base: 0x3300 });
  });

  it('fault reasons 0x20 to 0x28; FPD suppresses what is found in or behind the entry', () => {
    assert.deepEqual(Object.keys(vtdFaultReasons).map(Number), [0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28]);
    const suppressed = Object.entries(vtdFaultReasons).filter(([, reason]) => reason.fpdSuppresses);
    assert.deepEqual(
      suppressed.map(([code]) => Number(code)),
      [0x22, 0x24, 0x26, 0x27, 0x28],
    );
  });
});

describe('AMD-Vi values', () => {
  it('32-bit entry', () => {
    const wanted = { present: true, noFault: false, intType: 0, rqEoi: false, destMode: true, guestMode: false };
    assert.deepEqual(view(amdIrte32, 0x00230141n), { ...wanted, dest: 1, vector: 0x23 });
  });

  it('128-bit entry: destination and vector lie in both halves', () => {
    const value = (((0x12n << 56n) | 0x23n) << 64n) | (0x345678n << 8n) | 1n;
    const fields = view(amdIrte128, value);
    assert.equal(fields.dest, 0x345678);
    assert.equal(fields.destHigh, 0x12);
    assert.equal(fields.vector, 0x23);
    assert.equal('isRun' in fields, false);
  });

  it('guest mode entry', () => {
    const high = (0xabcden << 12n) | 0x51n;
    const fields = view(amdIrte128, (high << 64n) | (0x01000002n << 32n) | (5n << 8n) | 0xc5n);
    assert.deepEqual(fields, {
      present: true,
      noFault: false,
      gaLogIntr: true,
      isRun: true,
      guestMode: true,
      dest: 5,
      gaTag: 0x01000002,
      vector: 0x51,
      gaRoot: 0xabcde,
      destHigh: 0,
    });
  });

  it('device table entry: remap by a table of 512 entries', () => {
    const fields = view(amdDteInterrupt, (2n << 60n) | 0x1234580n | (9n << 1n) | 1n);
    assert.equal(fields.present, true);
    assert.equal(fields.tableLength, 9);
    assert.equal(fields.tableRoot, 0x1234580 >> 6);
    assert.equal(fields.intCtl, 2);
    assert.deepEqual(view(amdData, 0x7ffn), { index: 0x7ff });
  });
});

describe('ITS values', () => {
  it('MAPTI of DeviceID 0x100, EventID 3, LPI 8195, collection 2', () => {
    const { dwords, opcode } = itsCommands.find((command) => command.name === 'MAPTI')!;
    const dw = [
      packRegister(dwords[0], { opcode, deviceId: 0x100 }),
      packRegister(dwords[1], { eventId: 3, pintid: 8195 }),
      packRegister(dwords[2], { icid: 2 }),
    ];
    assert.deepEqual(dw.map(joined), [0x000001000000000an, 0x0000200300000003n, 2n]);
  });

  it('a MAPD and a MAPC from a command queue', () => {
    const mapd = itsCommandByOpcode.get(0x08)!;
    assert.equal(mapd.name, 'MAPD');
    assert.deepEqual(view(mapd.dwords[0], 0x0000002000000008n), { opcode: 8, deviceId: 0x20 });
    assert.deepEqual(view(mapd.dwords[1], 1n), { size: 1 });
    assert.deepEqual(view(mapd.dwords[2], 0x8000000047349a00n), { ittAddress: 0x47349a, valid: true });
    assert.deepEqual(view(mapd.dwords[3], 0n), {});
    const mapc = itsCommandByOpcode.get(0x09)!;
    assert.deepEqual(view(mapc.dwords[2], 0x8000000000010001n), { icid: 1, rdbase: 1, valid: true });
  });

  it('opcodes are distinct, GICv4 has bit 5, and the dwords of a command share no field name', () => {
    assert.equal(itsCommandByOpcode.size, itsCommands.length);
    for (const { name, opcode, since, dwords } of itsCommands) {
      assert.equal((opcode & 0x20) !== 0, since !== 'GICv3', name);
      const names = dwords.flatMap((dword) => dword.fields.filter((f) => !isReserved(f)).map((f) => f.name));
      assert.equal(new Set(names).size, names.length, name);
    }
  });

  it('an error names the command it belongs to', () => {
    for (const [code, { command }] of Object.entries(itsErrors)) {
      const opcode = (Number(code) >> 8) & 0xff;
      assert.equal(command === 'CLEAR' ? 'CLEAR' : itsCommandByOpcode.get(opcode)?.name, command);
    }
    assert.equal(Object.keys(itsErrors).length, 15);
  });

  it('tables of the emulated ITS, from memory dumps', () => {
    assert.deepEqual(view(itsLevel1, 0x8000000048430000n), { address: 0x48430, valid: true });
    assert.deepEqual(view(itsDte, 0x1227ba85n), { valid: true, size: 2, ittAddress: 0x489eea });
    assert.deepEqual(view(itsDte, 0x11cd2683n), { valid: true, size: 1, ittAddress: 0x47349a });
    const physical = { valid: true, type: true, vpeId: 0, doorbell: 1023 };
    assert.deepEqual(view(itsIte, 0x3ff_00000001_00008023n), { ...physical, intid: 0x2008, icid: 1 });
    assert.deepEqual(view(itsIte, 0x3ff_00000000_00008027n), { ...physical, intid: 0x2009, icid: 0 });
    assert.deepEqual(view(itsIte, 0x3ff_00000001_0000802bn), { ...physical, intid: firstLpi + 10, icid: 1 });
    assert.deepEqual(view(itsCte, 1n), { valid: true, rdbase: 0 });
    assert.deepEqual(view(itsCte, 3n), { valid: true, rdbase: 1 });
  });

  it('LPI configuration: priority 0xc0, enabled and masked', () => {
    assert.deepEqual(view(lpiConfig, 0xc3n), { enable: true, priority: 0xc0 >> 2 });
    assert.deepEqual(view(lpiConfig, 0xc2n), { enable: false, priority: 0xc0 >> 2 });
  });
});

describe('posted interrupt and IMS values', () => {
  it('control word: notification outstanding, POSTED_INTR_VECTOR, APIC id 3', () => {
    assert.deepEqual(view(postedControl, 0x0000030000f20001n), { on: true, sn: false, nv: 0xf2, ndst: 3 << 8 });
  });

  it('permission entry of PASID 0x12 and the IMS control dword with the same PASID', () => {
    const words = packRegister(idxdMsixPermission, { pasidEnable: 1, pasid: 0x12 });
    assert.equal(joined(words), 0x00012008n);
    const wanted = { mask: true, pending: false, ignore: false, pasidEnable: true, pasid: 0x12 };
    assert.deepEqual(view(imsControl, 0x00012009n), wanted);
    assert.deepEqual(view(idxdDescriptorInterrupt, 7n), { intHandle: 7 });
  });
});
