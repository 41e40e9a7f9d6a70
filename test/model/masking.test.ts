// Who masks an MSI-X entry, and when a pending bit is sent (PCIe 7.7.2, 6.1.4.4). All values are the registers' own bits.
import assert from 'node:assert/strict';
import type { EventKind } from '../../src/model/event.ts';
import { devReset } from '../../src/model/events/function.ts';
import { imsStore } from '../../src/model/events/ims.ts';
import { devRaise, msgSend, pbaRead, tableSize, tblBind, tblRead, tblWrite } from '../../src/model/events/msix.ts';
import { cfgRead, cfgWrite, msixCtrl } from '../../src/model/events/pci.ts';
import { effectivelyMasked, maskedBy, mayWrite, msiVectorOf, pendingOf } from '../../src/model/masking.ts';
import { State } from '../../src/model/state.ts';
import { imsEntry } from '../../src/model/things/ims.ts';
import { device, msi, msixCap, msixEntry, table } from '../../src/model/things/pci.ts';
import { apply } from '../../src/model/vocabulary.ts';
import { World } from '../../src/model/world.ts';

const BDF = 'device/0000:00:03.0';
/** Where the capability lies in these tests. */
const CAP = 0x60;

/** A function with its MSI-X capability at 0x60, as far as `control` shows it. */
class Fn {
  readonly world = new World();
  readonly state = new State(this.world);
  readonly object = this.world.object(device, BDF);

  /** Software reads the capability: its header, and Message Control. */
  constructor(control?: number) {
    this.fire(cfgRead, this.object, { offset: 0x34, size: 1, value: CAP });
    if (control === undefined) this.fire(cfgRead, this.object, { offset: CAP, size: 1, value: 0x11 });
    else this.fire(cfgRead, this.object, { offset: CAP, size: 4, value: ((control << 16) | 0x11) >>> 0 });
  }

  fire(kind: EventKind, object: number, values: Readonly<Record<string, number>>): void {
    const words = new Uint32Array(kind.size);
    for (const [name, value] of Object.entries(values)) {
      words[0]! |= kind.args.find((arg) => arg.name === name)!.bit;
      words[kind.at[name]!] = value >>> 0;
    }
    apply(this.state, kind, { object, cpu: -1, words, at: 0 });
  }

  entry(index: number): number {
    return this.world.child(msixEntry, this.object, 'msix', index);
  }

  /** Software writes Message Control. */
  control(value: number): void {
    this.fire(cfgWrite, this.object, { offset: CAP + 2, size: 2, value });
  }

  /** Software writes Vector Control of an entry. */
  vectorControl(index: number, value: number): void {
    this.fire(tblWrite, this.entry(index), { offset: 12, size: 4, value });
  }

  masked(index: number): boolean | undefined {
    return effectivelyMasked(this.state, this.entry(index));
  }

  pending(index: number): boolean | undefined {
    return this.state.flag(this.entry(index), msixEntry.at.pending);
  }

  /** The device raises the vector, and then the trace shows its pending bit. */
  raise(index: number): void {
    this.fire(devRaise, this.entry(index), { vector: index });
  }
}

describe('effectively masked', () => {
  const cases: readonly (readonly [control: number, vector: number, masked: boolean, why: string])[] = [
    [0x8007, 0, false, 'enabled, nothing masks'],
    [0x8007, 1, true, 'the own mask bit'],
    [0x8007, 0xfffffffe, false, 'only bit 0 of Vector Control is the mask'],
    [0xc007, 0, true, 'the function mask'],
    [0xc007, 1, true, 'both masks'],
    [0x0007, 0, true, 'MSI-X is off'],
    [0x4007, 0, true, 'MSI-X is off, and the function mask'],
    [0xbfff, 0, false, 'every other bit of Message Control is set'],
    [0x7fff, 0, true, 'every bit but enable is set'],
  ];
  for (const [control, vector, masked, why] of cases)
    it(`${masked}: Message Control 0x${control.toString(16)}, Vector Control ${vector.toString(16)}: ${why}`, () => {
      const fn = new Fn(control);
      fn.vectorControl(0, vector);
      assert.equal(fn.masked(0), masked);
    });

  it('one of the three alone decides, however little is known of the others', () => {
    const nothing = new Fn();
    assert.equal(nothing.masked(0), undefined);
    nothing.vectorControl(0, 1);
    assert.equal(nothing.masked(0), true, 'own mask bit, Message Control unknown');
    nothing.vectorControl(0, 0);
    assert.equal(nothing.masked(0), undefined, 'own mask bit clear, Message Control unknown');
    for (const [control, masked] of [
      [0x0007, true],
      [0xc007, true],
      [0x8007, undefined],
    ] as const)
      assert.equal(new Fn(control).masked(0), masked, `Vector Control unknown, 0x${control.toString(16)}`);
  });

  it('one known bit of Message Control decides only when it masks', () => {
    for (const [known, value, masked] of [
      [0x8000, 0x8000, undefined],
      [0x8000, 0, true],
      [0x4000, 0x4000, true],
      [0x4000, 0, undefined],
      [0xc000, 0x8000, false],
      [0x3fff, 0x3fff, undefined],
    ] as const) {
      const fn = new Fn();
      fn.vectorControl(0, 0);
      const cap = fn.world.child(msixCap, fn.object, 'msixcap');
      fn.state.setBits(cap, msixCap.at.control, value, known);
      assert.equal(fn.masked(0), masked, `0x${value.toString(16)}, known 0x${known.toString(16)}`);
    }
  });

  it('a report of enable and function mask tells these two, and not the size of the table', () => {
    const fn = new Fn();
    fn.vectorControl(0, 0);
    fn.fire(msixCtrl, fn.object, { enable: 1, fmask: 0 });
    assert.equal(fn.masked(0), false);
    fn.fire(msixCtrl, fn.object, { enable: 1, fmask: 1 });
    assert.equal(fn.masked(0), true);
    fn.fire(msixCtrl, fn.object, { enable: 0, fmask: 0 });
    assert.equal(fn.masked(0), true);
    assert.equal(tableSize(fn.state, fn.object), -1, 'the size of the table is still unknown');
  });
});

describe('what masks it', () => {
  it('of MSI-X: off before the function mask, that before the own mask bit', () => {
    for (const [control, vector, by] of [
      [0x4007, 1, 'off'],
      [0xc007, 1, 'function'],
      [0x8007, 1, 'own'],
      [0x8007, 0, 'none'],
    ] as const) {
      const fn = new Fn(control);
      fn.vectorControl(0, vector);
      assert.equal(maskedBy(fn.state, fn.entry(0)), by, `0x${control.toString(16)} ${vector}`);
    }
  });

  /** Where MSI lies: Message Control at +2, mask bits of a capability without upper address at +0xc (PCIe 7.7.1). */
  const MSI = 0x40;
  /** A function with MSI of 32 bit addresses; `control` is its Message Control, `mask` what its mask bits read. */
  function single(control: number, mask?: number): { readonly fn: Fn; readonly cap: number } {
    const fn = new Fn(0x0007);
    fn.fire(cfgRead, fn.object, { offset: 0x34, size: 1, value: MSI });
    fn.fire(cfgRead, fn.object, { offset: MSI, size: 4, value: ((control << 16) | 0x05) >>> 0 });
    if (mask !== undefined) fn.fire(cfgRead, fn.object, { offset: MSI + 0xc, size: 4, value: mask });
    return { fn, cap: fn.world.child(msi, fn.object, 'msi') };
  }
  /** Message Control: enable, four vectors granted, per-vector masking. */
  const FOUR = 0x0121;

  it('of MSI: its enable, then the bit of the vector, or those of all vectors in use', () => {
    for (const [control, mask, vector, by] of [
      [0x0120, 0xf, 1, 'off'],
      [FOUR, 0xa, 1, 'own'],
      [FOUR, 0xa, 2, 'none'],
      [FOUR, 0xa, -1, 'none'],
      [FOUR, 0xf, -1, 'own'],
      // Without mask bits nothing but its enable masks it.
      [0x0021, undefined, 3, 'none'],
      [FOUR, undefined, 3, undefined],
      // One vector: bits of others are of no vector in use.
      [0x0101, 0xe, -1, 'none'],
      [0x0101, 0x1, -1, 'own'],
    ] as const) {
      const { fn, cap } = single(control, mask);
      assert.equal(maskedBy(fn.state, cap, vector), by, `0x${control.toString(16)} ${mask} vector ${vector}`);
    }
  });

  it('of MSI: each masked vector keeps its own pending bit, and sends it when its own mask bit is cleared', () => {
    const { fn, cap } = single(FOUR, 0xf);
    const bits = (): number => fn.state.get(cap, msi.at.pending);
    for (const vector of [1, 3]) fn.fire(devRaise, cap, { vector });
    assert.equal(bits(), 0b1010);
    assert.deepEqual(
      [0, 1, 2, 3].map((vector) => pendingOf(fn.state, cap, vector)),
      [undefined, true, undefined, true],
    );
    fn.fire(cfgWrite, fn.object, { offset: MSI + 0xc, size: 4, value: 0xd });
    assert.equal(bits(), 0b1000);
    // A vector that is not masked is sent at once; with MSI off none is kept.
    fn.fire(devRaise, cap, { vector: 1 });
    assert.equal(bits(), 0b1000);
    fn.fire(cfgWrite, fn.object, { offset: MSI + 2, size: 2, value: 0x0120 });
    fn.fire(devRaise, cap, { vector: 2 });
    assert.equal(bits(), 0b1000);
  });

  it('of MSI: a message is of the vector that the low bits of its data are', () => {
    const { fn, cap } = single(FOUR, 0xf);
    fn.fire(cfgWrite, fn.object, { offset: MSI + 4, size: 4, value: 0xfee01000 });
    fn.fire(cfgWrite, fn.object, { offset: MSI + 8, size: 2, value: 0x4041 });
    const vector = (address: number, data: number): number => msiVectorOf(fn.state, cap, address, 0, data);
    // Four vectors are granted: bits 1:0 of data (PCIe 6.1.4.1).
    assert.deepEqual(
      [0x4040, 0x4041, 0x4043, 0x4044, 0x403f].map((data) => vector(0xfee01000, data)),
      [0, 1, 3, -1, -1],
    );
    assert.equal(vector(0xfee02000, 0x4040), -1);
    fn.fire(devRaise, cap, { vector: 3 });
    fn.fire(msgSend, cap, { address: 0xfee01000, data: 0x4042 });
    assert.equal(pendingOf(fn.state, cap, 3), true, 'a message of another vector');
    fn.fire(msgSend, cap, { address: 0xfee01000, data: 0x4043 });
    assert.equal(pendingOf(fn.state, cap, 3), false);
  });

  it('Bus Master Enable masks no entry', () => {
    const fn = new Fn(0x8007);
    fn.vectorControl(0, 0);
    assert.equal(mayWrite(fn.state, fn.object), undefined);
    fn.fire(cfgWrite, fn.object, { offset: 4, size: 2, value: 0x2 });
    assert.equal(mayWrite(fn.state, fn.object), false);
    assert.equal(fn.masked(0), false);
  });
});

describe('the size of an MSI-X table', () => {
  for (const [control, size] of [
    [0x8000, 1],
    [0x8007, 8],
    [0xc0ff, 256],
    [0x87ff, 2048],
    [0x3fff, 2048],
  ] as const)
    it(`Message Control 0x${control.toString(16)}: ${size} entries`, () => {
      const fn = new Fn(control);
      assert.equal(tableSize(fn.state, fn.object), size);
    });

  it('is read only: a write of Message Control changes enable and function mask', () => {
    const fn = new Fn(0x0007);
    fn.control(0xc7ff);
    assert.equal(tableSize(fn.state, fn.object), 8);
    assert.equal(fn.masked(0), true);
    fn.vectorControl(0, 0);
    fn.control(0x8000);
    assert.equal(fn.masked(0), false);
  });

  it('the pending bits end where the table ends, and at vector 2047', () => {
    const fn = new Fn(0x8007);
    fn.fire(pbaRead, fn.object, { first: 0, size: 8, value: 0xffffffff });
    assert.equal(fn.pending(7), true);
    assert.equal(fn.world.objectAt(`${BDF}/msix/8`), -1);
    const unknown = new Fn();
    unknown.fire(pbaRead, unknown.object, { first: 2040, size: 8, value: 0xffffffff });
    assert.equal(unknown.pending(2047), true);
    assert.equal(unknown.world.objectAt(`${BDF}/msix/2048`), -1);
  });

  it('entries of a table that becomes known move up to index 2047', () => {
    const fn = new Fn(0x87ff);
    const unknown = fn.world.object(table, 'table/0xfebf0000');
    for (const index of [0, 2047, 2048]) {
      const entry = fn.world.child(msixEntry, unknown, 'msix', index);
      fn.fire(tblWrite, entry, { offset: 8, size: 4, value: 0x40 + index });
    }
    fn.fire(tblBind, unknown, { device: fn.object, first: 0 });
    assert.equal(fn.state.num(fn.entry(0), msixEntry.at.data), 0x40);
    assert.equal(fn.state.num(fn.entry(2047), msixEntry.at.data), 0x40 + 2047);
    assert.equal(fn.world.objectAt(`${BDF}/msix/2048`), -1);
  });
});

describe('pending bits', () => {
  it('a cause sets the bit only while MSI-X is on and something masks', () => {
    const cases: readonly (readonly [control: number, vector: number, pending: boolean | undefined])[] = [
      [0x8007, 0, undefined],
      [0x8007, 1, true],
      [0xc007, 0, true],
      [0x4007, 0, undefined],
      [0x0007, 1, undefined],
    ];
    for (const [control, vector, pending] of cases) {
      const fn = new Fn(control);
      fn.vectorControl(0, vector);
      fn.raise(0);
      assert.equal(fn.pending(0), pending, `0x${control.toString(16)} ${vector}`);
    }
  });

  /** A function whose entry 0 is pending, masked by its own bit or by the function mask. */
  function waiting(control: number, vector: number): Fn {
    const fn = new Fn(control);
    fn.vectorControl(0, vector);
    fn.raise(0);
    assert.equal(fn.pending(0), true);
    return fn;
  }

  it('are sent when a write clears the own mask bit, not before', () => {
    const fn = waiting(0x8007, 1);
    fn.fire(tblWrite, fn.entry(0), { offset: 8, size: 4, value: 0x4041 });
    assert.equal(fn.pending(0), true, 'a write of the data');
    fn.vectorControl(0, 0xffff0001);
    assert.equal(fn.pending(0), true, 'the mask bit stays set');
    fn.vectorControl(0, 0);
    assert.equal(fn.pending(0), false);
  });

  it('are sent when a write of 8 bytes clears the own mask bit', () => {
    const fn = waiting(0x8007, 1);
    const words = new Uint32Array(tblWrite.size);
    words[tblWrite.at['offset']!] = 8;
    words[tblWrite.at['size']!] = 8;
    words[tblWrite.at['value']!] = 0x4041;
    apply(fn.state, tblWrite, { object: fn.entry(0), cpu: -1, words, at: 0 });
    assert.equal(fn.pending(0), false);
  });

  it('are sent, as a read shows, when the mask bit reads 0', () => {
    const fn = waiting(0x8007, 1);
    fn.fire(tblRead, fn.entry(0), { offset: 12, size: 4, value: 0 });
    assert.equal(fn.pending(0), false);
  });

  it('are sent when the function mask is cleared, but not when MSI-X is turned off', () => {
    const fn = waiting(0xc007, 0);
    fn.control(0x0000);
    assert.equal(fn.pending(0), true, 'off');
    fn.control(0xc000);
    assert.equal(fn.pending(0), true, 'on with the function mask');
    fn.control(0x8000);
    assert.equal(fn.pending(0), false);
  });

  it('are sent when a report says that the function mask is clear now', () => {
    const fn = waiting(0xc007, 0);
    fn.fire(msixCtrl, fn.object, { enable: 1, fmask: 1 });
    assert.equal(fn.pending(0), true);
    fn.fire(msixCtrl, fn.object, { enable: 1, fmask: 0 });
    assert.equal(fn.pending(0), false);
  });

  it('stay while the own mask bit is set when the function mask is cleared', () => {
    const fn = waiting(0xc007, 1);
    fn.control(0x8000);
    assert.equal(fn.pending(0), true);
    fn.fire(msixCtrl, fn.object, { enable: 1, fmask: 0 });
    assert.equal(fn.pending(0), true);
  });

  it('of an IMS entry: bit 0 of control decides', () => {
    const fn = new Fn(0x0007);
    const entry = fn.world.child(imsEntry, fn.object, 'ims', 0);
    const store = (value: number): void => fn.fire(imsStore, entry, { offset: 12, size: 4, value });
    const pending = (): boolean | undefined => fn.state.flag(entry, imsEntry.at.pending);
    store(0x00012008);
    fn.fire(devRaise, entry, { vector: 0 });
    assert.equal(pending(), undefined, 'not masked');
    store(0x00012009);
    fn.fire(devRaise, entry, { vector: 0 });
    assert.equal(pending(), true);
    store(0x0001200f);
    assert.equal(pending(), true);
    store(0x0001200e);
    assert.equal(pending(), false);
  });
});

describe('a reset', () => {
  it('turns MSI-X off and masks every entry', () => {
    const fn = new Fn(0x8007);
    fn.vectorControl(0, 0);
    fn.fire(devReset, fn.object, {});
    assert.equal(fn.state.num(fn.entry(0), msixEntry.at.control), 1);
    assert.equal(fn.masked(0), true);
    fn.vectorControl(0, 0);
    assert.equal(fn.masked(0), true, 'MSI-X is off');
    fn.control(0x8000);
    assert.equal(fn.masked(0), false, 'the function mask is clear after reset');
    assert.equal(tableSize(fn.state, fn.object), 8, 'the size is not touched');
  });
});
