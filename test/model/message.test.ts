import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodersById, type MessageKind, type MessageView } from '../../src/model/message.ts';

function decode(kind: MessageKind, addressLo: number, data: number, addressHi = 0): MessageView {
  const message = decodersById[kind].decode(addressLo, addressHi, data);
  assert.ok(message, 'no message');
  return message;
}

const kinds = Object.keys(decodersById) as MessageKind[];

describe('messages on bare x86', () => {
  it('destination 1, logical, vector 0x23', () => {
    const message = decode('x86', 0xfee01004, 0x4023);
    assert.equal(message.format, 'compatibility');
    assert.equal(message.text, 'vector 35 (0x23) to logical destination 1, Fixed, edge');
    assert.equal(message.destination, 1);
    assert.equal(message.vector, 0x23);
    assert.equal(message.index, null);
    assert.equal(message.fields.redirectionHint, false);
    assert.equal(message.fields.level, true);
    assert.equal(message.reservedSet, false);
  });

  it('what a remapping unit sends on to APIC 0', () => {
    const message = decode('x86', 0xfee00008, 0x4021);
    assert.equal(message.text, 'vector 33 (0x21) to APIC id 0, Fixed, edge');
    assert.equal(message.fields.redirectionHint, true);
  });

  it('extended destination id: APIC id 0x1ff', () => {
    const message = decode('x86', 0xfeeff020, 0x4030);
    assert.equal(message.destination, 0x1ff);
    assert.match(message.text, /extended destination id$/);
  });

  it('x2APIC format: the upper address holds bits 31:8 of the APIC id', () => {
    const message = decode('x86', 0xfee02000, 0x4030, 0x80000100);
    assert.equal(message.format, 'x2apic');
    assert.equal(message.destination, 0x80000102);
    assert.equal(message.reservedSet, false);
    assert.equal(decode('x86', 0xfee02000, 0x4030, 0x101).reservedSet, true);
  });

  it('vector 0 is a Xen PIRQ', () => {
    const message = decode('x86', 0xfee11000, 0x700, 0x100);
    assert.equal(message.format, 'xen-pirq');
    assert.equal(message.fields.pirq, 0x111);
    assert.equal(message.vector, null);
    assert.equal(message.destination, null);
  });

  it('the other delivery modes, and level trigger', () => {
    assert.match(decode('x86', 0xfee00000, 0x0430).text, /, NMI, edge$/);
    assert.match(decode('x86', 0xfee00000, 0x8130).text, /, Lowest priority, level$/);
    assert.match(decode('x86', 0xfee00000, 0x0330).text, /reserved delivery mode 3/);
  });

  it('reserved bits of the data', () => {
    assert.equal(decode('x86', 0xfee00000, 0x10030).reservedSet, true);
    assert.equal(decode('x86', 0xfee00000, 0x2030).reservedSet, true);
  });
});

describe('messages below VT-d', () => {
  const cases: readonly [addressLo: number, data: number, index: number][] = [
    [0xfee004b8, 0, 0x25],
    [0xfee1463c, 0, 0x8a31],
    [0xfee00298, 0, 20],
    [0xfee00478, 0, 35],
    [0xfee00298, 3, 23],
  ];
  for (const [addressLo, data, index] of cases) {
    it(`0x${addressLo.toString(16)}/0x${data.toString(16)} is entry ${index}`, () => {
      const message = decode('vtd', addressLo, data);
      assert.equal(message.format, 'remappable');
      assert.equal(message.index, index);
      assert.equal(message.fields.handle, index - data);
      assert.equal(message.fields.shv, true);
      assert.equal(message.fields.subhandle, data);
      assert.equal(message.vector, null);
      assert.equal(message.reservedSet, false);
    });
  }

  it('says so in words', () => {
    assert.equal(decode('vtd', 0xfee004b8, 0).text, 'IRTE 37 (0x25)');
    assert.equal(decode('vtd', 0xfee00298, 3).text, 'IRTE 23 (0x17), handle 20 (0x14) + subhandle 3');
  });

  it('without SHV the data counts for nothing, its reserved bits included', () => {
    const message = decode('vtd', 0xfee00290, 0x10003);
    assert.equal(message.index, 20);
    assert.equal(message.fields.subhandle, 0);
    assert.equal(message.reservedSet, false);
    assert.equal(message.text, 'IRTE 20 (0x14), data ignored (SHV 0)');
  });

  it('reserved bits are fault 0x20', () => {
    const data = decode('vtd', 0xfee003d8, 0x10000);
    assert.equal(data.reservedSet, true);
    assert.equal(data.text, 'IRTE 30 (0x1e); reserved bits set: fault 0x20');
    assert.equal(decode('vtd', 0xfee004b8, 0, 1).reservedSet, true);
  });

  it('with bit 4 clear it is compatibility format', () => {
    const message = decode('vtd', 0xfee01004, 0x4023);
    assert.equal(message.format, 'compatibility');
    assert.equal(message.index, null);
    assert.equal(message.vector, 0x23);
    assert.match(message.text, /^compatibility format, passes through or is blocked \(fault 0x25\): vector 35/);
  });
});

describe('messages below AMD-Vi, ITS and GICv2m', () => {
  it('AMD-Vi: the data is the index', () => {
    const message = decode('amd', 0xfee00000, 5);
    assert.equal(message.format, 'irte-index');
    assert.equal(message.index, 5);
    assert.equal(message.text, "IRTE 5 (0x5) of the device's own table");
    assert.equal(decode('amd', 0xfee00004, 0x7ff).index, 0x7ff);
    assert.equal(decode('amd', 0xfee00000, 0x800).reservedSet, true);
  });

  it('ITS: the data is the EventID, the address a doorbell', () => {
    const message = decode('its', 0x8000040, 2);
    assert.equal(message.text, 'EventID 2 (0x2) to doorbell 0x8000040');
    assert.equal(message.index, 2);
    assert.deepEqual(message.fields, { eventId: 2, doorbell: '0x8000040', atDoorbell: true });
    assert.equal(decode('its', 0xfffff040, 0x3fff, 0xff).fields.doorbell, '0xfffffff040');
    assert.match(decode('its', 0x8000000, 2).text, /not at page offset 0x40/);
  });

  it('GICv2m: the data is the INTID of the SPI', () => {
    const message = decode('gicv2m', 0xfffff040, 0x50);
    assert.equal(message.format, 'spi');
    assert.equal(message.text, 'SPI INTID 80 (0x50) to doorbell 0xfffff040');
    assert.equal(message.index, 80);
  });
});

describe('messages anywhere', () => {
  it('address 0 is no message', () => {
    for (const kind of kinds) {
      assert.equal(decode(kind, 0, 0).format, 'none');
      assert.equal(decode(kind, 0, 0x21).index, null);
    }
  });

  it('an address outside 0xfee00000 to 0xfeefffff is an ordinary write on x86', () => {
    for (const kind of ['x86', 'vtd', 'amd'] as const) {
      assert.equal(decodersById[kind].decode(0xfed00000, 0, 0x21), undefined);
      assert.equal(decodersById[kind].decode(0, 1, 0x21), undefined);
    }
    assert.equal(decodersById.its.decode(0x8000042, 0, 0), undefined);
  });

  it('the same pair reads differently under each domain', () => {
    const texts = kinds.map((kind) => decode(kind, 0xfee00298, 0).text);
    assert.equal(new Set(texts).size, kinds.length);
    const bare = decode('x86', 0xfee00298, 0);
    assert.equal(bare.format, 'compatibility');
    assert.equal(bare.vector, 0);
    assert.equal(bare.destination, 0);
    assert.equal(bare.reservedSet, true);
    assert.match(bare.text, /remappable format, which nothing here remaps$/);
  });

  it('a remappable message carries its handle and subhandle', () => {
    const bits16 = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(bits16, bits16, fc.boolean(), (handle, data, shv) => {
        const address = 0xfee00010 + (handle & 0x7fff) * 32 + (handle >> 15) * 4 + (shv ? 8 : 0);
        const message = decode('vtd', address, data);
        assert.equal(message.index, handle + (shv ? data : 0));
        assert.equal(message.reservedSet, false);
      }),
    );
  });

  it('any pair is decoded or refused, never an error, and 32-bit signs do not matter', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const address = fc.oneof(
      word,
      fc.integer({ min: 0, max: 0xfffff }).map((low) => 0xfee00000 + low),
    );
    fc.assert(
      fc.property(fc.constantFrom(...kinds), address, fc.oneof(fc.constant(0), word), word, (kind, lo, hi, data) => {
        const message = decodersById[kind].decode(lo, hi, data);
        assert.deepEqual(decodersById[kind].decode(lo | 0, hi | 0, data | 0), message);
        for (const number of [message?.index, message?.destination, message?.vector]) {
          assert.ok(number === undefined || number === null || (number >= 0 && Number.isInteger(number)));
        }
      }),
    );
  });

  it('a decoder knows its own id', () => {
    for (const kind of kinds) assert.equal(decodersById[kind].id, kind);
  });
});
