// A PCI function with MSI-X, rule by rule (PCIe 7.7.2, 6.1.4). U1 to U7: what the specification forbids or leaves undefined.

import assert from 'node:assert/strict';
import { type EventView, viewEvent } from '../../src/query/events.ts';
import { announce } from '../../src/sim/device/announce.ts';
import type { Message } from '../../src/sim/device/message.ts';
import { PciFunction } from '../../src/sim/device/pci-function.ts';
import { Machine } from '../../src/sim/machine.ts';
import { TraceRecorder } from '../../src/sim/recorder.ts';
import { newTrace } from '../../src/sim/simulation.ts';

const BDF = '0000:03:00.0';
const FLIGHT = 300;

/** A function with four entries, its messages caught where they arrive. */
class Bench {
  readonly recorder = new TraceRecorder(newTrace('function'));
  readonly machine: Machine;
  readonly fn: PciFunction;
  readonly landed: (Message & { readonly at: number })[] = [];

  constructor(jitter = 0, command = 0x406, msi = false) {
    this.machine = new Machine(this.recorder, 7, jitter);
    this.fn = new PciFunction(this.machine, BDF, {
      accept: (message) => void this.landed.push({ ...message, at: this.machine.now }),
    });
    const spec = { bdf: BDF, name: 'bench', vectors: 4, bar: 0, barAddress: 0xfe000000, barSize: 0x10000 };
    announce(this.fn, { ...spec, msi, tableOffset: 0, pbaOffset: 0x8000 }, command);
  }

  /** Enabled, every entry programmed and unmasked: vector i goes to CPU i, vector 0x40 + i. */
  static ready(jitter = 0): Bench {
    const bench = new Bench(jitter);
    for (let i = 0; i < 4; i++) bench.program(i);
    bench.fn.control(true, false);
    for (let i = 0; i < 4; i++) bench.write(i, 12, [0]);
    return bench;
  }

  program(i: number): void {
    this.write(i, 0, [0xfee00000 + (i << 12)]);
    this.write(i, 4, [0]);
    this.write(i, 8, [0x40 + i]);
  }

  write(i: number, offset: number, value: readonly number[], size = value.length * 4): void {
    this.fn.table(i, offset, size, value);
  }

  mask(i: number, masked: boolean): void {
    this.write(i, 12, [masked ? 1 : 0]);
  }

  /** Lets time pass until nothing is due. */
  settle(): void {
    while (this.machine.step());
  }

  get events(): EventView[] {
    return Array.from({ length: this.recorder.length }, (_, i) => viewEvent(this.recorder.trace, i));
  }

  kinds(...kinds: string[]): EventView[] {
    return this.events.filter((e) => kinds.includes(e.kind));
  }

  rules(): unknown[] {
    return this.kinds('illegal').map((e) => e.fields.rule);
  }

  pending(): number {
    return this.fn.readPba(0, 4)[0]!;
  }
}

describe('MSI-X function', () => {
  it('rule 1: an unmasked cause is sent with address and data of its entry and arrives after its flight', () => {
    const bench = Bench.ready();
    bench.fn.raise(2);
    assert.equal(bench.landed.length, 0);
    bench.settle();
    assert.equal(bench.landed.length, 1);
    const message = bench.landed[0]!;
    assert.deepEqual(
      [message.address, message.data, message.requester, message.at],
      [0xfee02000, 0x42, 0x0300, FLIGHT],
    );
  });

  it('rule 1: a masked cause sets the pending bit and nothing is sent; a second one merges with it', () => {
    const bench = Bench.ready();
    bench.mask(1, true);
    const first = bench.fn.raise(1);
    const second = bench.fn.raise(1);
    bench.settle();
    assert.deepEqual(bench.landed, []);
    assert.equal(bench.pending(), 0b0010);
    assert.deepEqual(
      bench.kinds('merge').map((e) => [e.fields.cause, e.fields.into]),
      [[second, first]],
    );
    const { pending, merged } = bench.machine.ledger.tally();
    assert.deepEqual([pending, merged], [1, 1]);
  });

  it('rule 1: while MSI-X is off a cause is lost and sets no pending bit', () => {
    const bench = new Bench();
    bench.program(0);
    bench.fn.raise(0);
    bench.settle();
    assert.equal(bench.kinds('drop')[0]?.fields.reason, 'MSI-X is not enabled');
    bench.fn.control(true, false);
    bench.mask(0, false);
    bench.settle();
    assert.deepEqual(bench.landed, []);
  });

  for (const [name, close, open] of [
    ['its own mask bit', (b: Bench) => b.mask(1, true), (b: Bench) => b.mask(1, false)],
    ['the function mask', (b: Bench) => b.fn.control(true, true), (b: Bench) => b.fn.control(true, false)],
  ] as const)
    it(`rule 2: what is pending is sent once when ${name} is cleared, with the message as it is then`, () => {
      const bench = Bench.ready();
      close(bench);
      bench.fn.raise(1);
      bench.write(1, 0, [0xfee03000]);
      bench.write(1, 8, [0x77]);
      assert.deepEqual(bench.rules(), []);
      open(bench);
      assert.equal(bench.pending(), 0);
      bench.settle();
      assert.deepEqual(
        bench.landed.map((m) => [m.address, m.data]),
        [[0xfee03000, 0x77]],
      );
    });

  it('rule 3: a cause that goes away while masked clears the pending bit: nothing is sent later', () => {
    const bench = Bench.ready();
    bench.mask(1, true);
    bench.fn.raise(1);
    bench.fn.withdraw(1);
    assert.equal(bench.pending(), 0);
    bench.mask(1, false);
    bench.settle();
    assert.deepEqual(bench.landed, []);
    assert.equal(bench.machine.ledger.tally().withdrawn, 1);
    bench.mask(1, true);
    bench.fn.raise(1);
    bench.mask(1, false);
    bench.settle();
    assert.equal(bench.landed.length, 1, 'a new cause sets it again');
  });

  it('rule 4: masking recalls nothing: a message in flight arrives after the write', () => {
    const bench = Bench.ready();
    bench.fn.raise(0);
    bench.mask(0, true);
    assert.equal(bench.landed.length, 0);
    bench.settle();
    assert.equal(bench.landed.length, 1);
  });

  it('rule 4: a completed read means that everything sent before has arrived, and nothing arrives after it', () => {
    const bench = Bench.ready(1);
    for (let i = 0; i < 4; i++) bench.fn.raise(i);
    bench.mask(0, true);
    bench.fn.table(0, 12, 4, undefined);
    assert.deepEqual(
      bench.landed.map((m) => m.data),
      [0x40, 0x41, 0x42, 0x43],
    );
    bench.settle();
    assert.equal(bench.landed.length, 4);
  });

  it('rule 4: messages of a function do not overtake one another, whatever their delays', () => {
    const bench = Bench.ready(1);
    for (let turn = 0; turn < 50; turn++) for (let i = 0; i < 4; i++) bench.fn.raise(i);
    bench.settle();
    assert.deepEqual(
      bench.landed.map((m) => m.cause),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  });

  it('rule 5: the function mask changes no mask bit, and setting it twice is setting it once', () => {
    const bench = Bench.ready();
    bench.mask(3, true);
    bench.fn.control(true, true);
    bench.fn.control(true, true);
    bench.fn.control(true, false);
    const bits = [0, 1, 2, 3].map((i) => bench.fn.table(i, 12, 4, undefined)![0]);
    assert.deepEqual(bits, [0, 0, 0, 1]);
  });

  it('rule 7: a qword at 8 writes data and vector control in one go', () => {
    const bench = Bench.ready();
    bench.mask(0, true);
    bench.fn.raise(0);
    bench.write(0, 8, [0x99, 0]);
    bench.settle();
    assert.deepEqual(
      bench.landed.map((m) => m.data),
      [0x99],
    );
    assert.deepEqual(bench.rules(), []);
  });

  for (const [offset, size] of [
    [0, 1],
    [0, 2],
    [12, 1],
    [2, 4],
    [4, 8],
    [12, 8],
  ] as const)
    it(`U1 an access of ${size} bytes at ${offset} is no aligned dword or qword: discarded, a read is all ones`, () => {
      const bench = Bench.ready();
      bench.write(0, offset, [1, 1], size);
      assert.deepEqual(bench.rules(), ['U1']);
      assert.ok(bench.fn.table(0, offset, size, undefined)!.every((word) => word === 0xffffffff));
      assert.deepEqual(bench.fn.table(0, 0, 8, undefined), [0xfee00000, 0], 'nothing changed');
      assert.deepEqual(bench.fn.table(0, 12, 4, undefined), [0]);
    });

  it('U2 rule 8: data written while unmasked is undefined; the function may send the message from before', () => {
    for (const latches of [false, true]) {
      const bench = Bench.ready();
      bench.fn.latches = latches;
      bench.write(0, 8, [0x88]);
      assert.deepEqual(bench.rules(), ['U2']);
      bench.fn.raise(0);
      bench.mask(0, true);
      bench.mask(0, false);
      bench.fn.raise(0);
      bench.settle();
      assert.deepEqual(
        bench.landed.map((m) => m.data),
        latches ? [0x40, 0x88] : [0x88, 0x88],
      );
    }
  });

  it('U2 is no matter of writing the same value, nor of writing behind the mask', () => {
    const bench = Bench.ready();
    bench.write(0, 8, [0x40]);
    bench.mask(0, true);
    bench.write(0, 8, [0x88]);
    assert.deepEqual(bench.rules(), []);
  });

  it('U3 a write of the pending bits changes nothing', () => {
    const bench = Bench.ready();
    bench.mask(1, true);
    bench.fn.raise(1);
    bench.fn.writePba(0, 4, [0xd]);
    assert.deepEqual(bench.rules(), ['U3']);
    assert.equal(bench.pending(), 0b0010);
  });

  it('U4 MSI and MSI-X enabled together, whichever came first; told once', () => {
    for (const [first, second] of [
      ['msi', 'msix'],
      ['msix', 'msi'],
    ]) {
      const bench = new Bench(0, 0x406, true);
      // Message Control lies 2 behind each capability; its enable bit is 0 for MSI, 15 for MSI-X.
      const enable = { msi: () => bench.fn.configWrite(0x52, 2, 0x81), msix: () => bench.fn.control(true, false) };
      enable[first as 'msi']();
      assert.deepEqual(bench.rules(), []);
      enable[second as 'msi']();
      enable[second as 'msi']();
      assert.deepEqual(bench.rules(), ['U4']);
    }
  });

  it('U5 an entry beyond the table does not exist: a write is discarded, a read is all ones', () => {
    const bench = Bench.ready();
    bench.write(4, 0, [1]);
    assert.deepEqual(bench.fn.table(4, 0, 4, undefined), [0xffffffff]);
    assert.deepEqual(bench.rules(), ['U5', 'U5']);
  });

  it('U6 bits 15:1 of vector control must be written as they were read; the steering tag above them is free', () => {
    const bench = Bench.ready();
    bench.write(0, 12, [0x00ab0001]);
    assert.deepEqual(bench.rules(), []);
    bench.write(0, 12, [0x00ab0003]);
    assert.deepEqual(bench.rules(), ['U6']);
    bench.write(0, 8, [0x40, 0x00ab0001]);
    assert.deepEqual(bench.rules(), ['U6', 'U6']);
  });

  it('U7 an entry that was unmasked with address 0 sends to address 0', () => {
    const bench = Bench.ready();
    bench.mask(0, true);
    bench.write(0, 0, [0]);
    bench.mask(0, false);
    assert.deepEqual(bench.rules(), ['U7']);
    bench.fn.raise(0);
    bench.settle();
    assert.deepEqual(
      bench.landed.map((m) => m.address),
      [0],
    );
  });

  it('U7 holds as well when the function mask is what exposes the entry', () => {
    const bench = Bench.ready();
    bench.fn.control(true, true);
    bench.write(0, 0, [0]);
    bench.fn.control(true, false);
    assert.deepEqual(bench.rules(), ['U7']);
  });

  it('rule 10: without bus master the function sends nothing and an event says so', () => {
    const bench = Bench.ready();
    bench.fn.configWrite(4, 2, 0x402);
    bench.fn.raise(0);
    bench.settle();
    assert.deepEqual(bench.landed, []);
    assert.match(String(bench.kinds('drop')[0]?.fields.reason), /Bus Master Enable is 0/);
  });

  it('rule 11: without memory decode the table reads all ones, and writes are dropped', () => {
    const bench = Bench.ready();
    bench.fn.configWrite(4, 2, 0x404);
    bench.mask(0, true);
    assert.deepEqual(bench.fn.table(0, 12, 4, undefined), [0xffffffff]);
    assert.deepEqual(bench.fn.readPba(0, 8), [0xffffffff, 0xffffffff]);
    assert.deepEqual(new Set(bench.rules()), new Set(['memory-disabled']));
    bench.fn.configWrite(4, 2, 0x406);
    assert.deepEqual(bench.fn.table(0, 12, 4, undefined), [0], 'the mask bit was not written');
  });

  it('a reset turns MSI-X off, masks every entry, forgets its message and ends what was pending', () => {
    const bench = Bench.ready();
    bench.mask(1, true);
    const cause = bench.fn.raise(1);
    bench.fn.reset();
    assert.equal(bench.fn.enabled, false);
    assert.deepEqual(
      bench.kinds('drop').map((e) => e.fields.cause),
      [cause],
    );
    bench.fn.configWrite(4, 2, 0x406);
    assert.deepEqual(bench.fn.table(1, 12, 4, undefined), [1]);
    bench.fn.control(true, false);
    bench.mask(1, false);
    bench.settle();
    assert.deepEqual(bench.landed, []);
    bench.fn.raise(1);
    assert.match(String(bench.kinds('untold')[0]?.fields.what), /message/, 'what it would send is not known');
  });

  it('where the mask is not known, it is not told what a cause leads to', () => {
    const recorder = new TraceRecorder(newTrace('unknown'));
    const fn = new PciFunction(new Machine(recorder, 1), BDF, { accept: () => assert.fail('a message was sent') });
    fn.raise(0);
    const kinds = Array.from({ length: recorder.length }, (_, i) => viewEvent(recorder.trace, i).kind);
    assert.deepEqual(kinds, ['dev.raise', 'untold']);
  });
});
