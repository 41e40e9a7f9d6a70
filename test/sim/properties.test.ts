// What must hold whatever is done, in which order and with which delays: computed from the events alone, by a small model
// of its own, over runs of random systems and operations.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type EventView, viewEvent } from '../../src/query/events.ts';
import type { Operation } from '../../src/sim/operation.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { eventLine } from '../../src/trace/irqtrace.ts';
import { scenarioOf } from './run.ts';

const BDFS = ['0000:03:00.0', '0000:04:00.0'];
const VECTORS = 3;

const bdf = fc.constantFrom(...BDFS);
const entry = fc.tuple(bdf, fc.nat(VECTORS - 1)).map(([of, i]) => `device/${of}/msix/${i}`);
const device = bdf.map((of) => `device/${of}`);
const irq = fc.integer({ min: 24, max: 24 + 2 * VECTORS }).map((n) => `irq/${n}`);
const cpu = fc.nat(2).map((n) => `cpu/${n}`);
const cpus = fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 });
const on = (op: string, object: fc.Arbitrary<string>, args: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ op: fc.constant(op), object, ...args }) as fc.Arbitrary<Operation>;
/** Values that matter: messages to CPUs that exist and not, no message, a plain write, a mask. */
const value = fc.constantFrom('0x0', '0x1', '0xfee00000', '0xfee02000', '0xfee07000', '0x21', '0xef', '0x1000');

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 24, arbitrary: on('device.raise', entry) },
  { weight: 2, arbitrary: on('device.withdraw', entry) },
  { weight: 3, arbitrary: on('entry.mask', entry) },
  { weight: 6, arbitrary: on('entry.unmask', entry) },
  {
    weight: 1,
    arbitrary: on('entry.write', entry, {
      offset: fc.constantFrom(0, 2, 4, 8, 12),
      size: fc.constantFrom(1, 4, 8),
      value,
    }),
  },
  { weight: 1, arbitrary: on('entry.read', entry) },
  { weight: 2, arbitrary: on('msix.control', device, { enable: fc.boolean(), fmask: fc.boolean() }) },
  { weight: 1, arbitrary: on('device.command', device, { memory: fc.boolean(), busMaster: fc.boolean() }) },
  { weight: 1, arbitrary: on('pba.read', device) },
  { weight: 1, arbitrary: on('device.reset', device) },
  { weight: 8, arbitrary: on('irq.affinity', irq, { cpus }) },
  { weight: 1, arbitrary: on('irq.free', irq) },
  { weight: 2, arbitrary: on('irq.request', irq) },
  { weight: 1, arbitrary: on('irq.mask', irq) },
  { weight: 1, arbitrary: on('irq.unmask', irq) },
  { weight: 1, arbitrary: on('irq.release', irq) },
  { weight: 1, arbitrary: on('irq.deactivate', irq) },
  { weight: 1, arbitrary: on('irq.activate', irq, { reserve: fc.boolean() }) },
  { weight: 1, arbitrary: on('irq.alloc', device, { index: fc.nat(VECTORS - 1) }) },
  { weight: 2, arbitrary: on('cpu.offline', cpu) },
  { weight: 2, arbitrary: on('cpu.online', cpu) },
);

const plan = fc.record({
  seed: fc.nat(1 << 30),
  jitter: fc.constantFrom(0, 0.3, 1),
  managed: fc.boolean(),
  /** Whether the drivers get to do their part first. */
  booted: fc.boolean(),
  settings: fc.record({
    affinityStrategy: fc.constantFrom('direct', 'twoStep'),
    vectorCleanup: fc.constantFrom('timer', 'ipi'),
  }),
  acts: fc.array(fc.record({ steps: fc.oneof(fc.nat(3), fc.nat(60)), operation }), {
    minLength: 10,
    maxLength: 60,
    size: 'max',
  }),
});
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

/** Runs a plan to its end; operations that the system refuses are left out. */
function carryOut({ seed, jitter, managed, booted, settings, acts }: Plan): Simulation {
  const scenario = scenarioOf({
    jitter,
    platform: { cpus: 3 },
    devices: BDFS.map((of, i) => ({ bdf: of, name: `dev${i}`, vectors: VECTORS, managed: managed && i === 0 })),
  });
  const simulation = new Simulation({ scenario, seed, settings, operations: [] });
  if (booted) simulation.run();
  for (const act of acts) {
    for (let i = 0; i < act.steps && simulation.step(); i++);
    simulation.perform(act.operation);
  }
  simulation.run();
  return simulation;
}

/** Outcomes that end a cause. */
type End = 'merged' | 'dropped' | 'untold' | 'withdrawn' | 'delivered';

/** A model of masks, pending bits and causes of its own, which takes events one by one and fails where one cannot be. */
class Watcher {
  readonly #enabled = new Map<string, boolean>();
  readonly #fmask = new Map<string, boolean>();
  readonly #masks = new Map<string, boolean>();
  /** The cause behind each pending bit. */
  readonly #pending = new Map<string, number>();
  /** The cause behind each IRR bit; 0: none. */
  readonly #irr = new Map<string, number>();
  /** Where a cause is that has not ended. */
  readonly #where = new Map<number, string>();
  readonly ends = new Map<number, End>();
  /** The vector at which a CPU took each cause. */
  readonly #taken = new Map<number, string>();
  readonly #raises = new Map<string, number>();
  readonly #sends = new Map<string, number>();
  /** Entries that were unmasked while pending: their messages must be what happens next. */
  #owed = new Set<string>();

  #masked(path: string): boolean {
    const of = path.split('/')[1]!;
    return this.#enabled.get(of) !== true || this.#fmask.get(of) === true || this.#masks.get(path) !== false;
  }

  #end(cause: number, how: End): void {
    assert.ok(!this.ends.has(cause), `cause ${cause} ends twice: ${this.ends.get(cause)}, ${how}`);
    assert.ok(this.#where.has(cause), `cause ${cause} ends and was never raised`);
    this.#where.delete(cause);
    this.ends.set(cause, how);
  }

  /** After masks have changed: what is pending and unmasked is owed. */
  #settle(): void {
    for (const path of this.#pending.keys()) if (!this.#masked(path)) this.#owed.add(path);
  }

  take(event: EventView): void {
    const { kind, object, fields } = event;
    const cause = Number(fields.cause ?? 0);
    if (this.#owed.size > 0 && kind !== 'illegal') {
      // I-P3: unmasked while pending: exactly one message, before anything else happens.
      assert.ok(
        ['send', 'drop', 'untold'].includes(kind) && this.#owed.has(object),
        `${kind} ${object} instead of the message`,
      );
      this.#owed.delete(object);
      const waiting = this.#pending.get(object)!;
      this.#pending.delete(object);
      if (waiting > 0) assert.equal(cause, waiting, 'the cause that waited is the one that goes on');
    }
    switch (kind) {
      case 'cfg.read':
      case 'cfg.write': {
        const of = object.split('/')[1]!;
        const at = Number(fields.offset);
        const control =
          at === 0x60 && fields.size === 4
            ? Number(fields.value) >>> 16
            : at === 0x62
              ? Number(fields.value)
              : undefined;
        if (control === undefined) return;
        this.#enabled.set(of, (control & 0x8000) !== 0);
        this.#fmask.set(of, (control & 0x4000) !== 0);
        this.#settle();
        return;
      }
      case 'tbl.read':
      case 'tbl.write': {
        const shift = (12 - Number(fields.offset)) * 8;
        if (shift < 0 || shift >= Number(fields.size) * 8) return;
        this.#masks.set(object, ((BigInt(String(fields.value)) >> BigInt(shift)) & 1n) === 1n);
        this.#settle();
        return;
      }
      case 'dev.reset':
        this.#enabled.set(object.split('/')[1]!, false);
        this.#fmask.set(object.split('/')[1]!, false);
        for (const path of this.#masks.keys()) if (path.startsWith(`${object}/`)) this.#masks.set(path, true);
        for (const path of [...this.#pending.keys()]) if (path.startsWith(`${object}/`)) this.#pending.delete(path);
        return;
      case 'dev.raise':
        this.#raises.set(object, (this.#raises.get(object) ?? 0) + 1);
        this.#where.set(cause, 'raised');
        if (this.#enabled.get(object.split('/')[1]!) === true && this.#masked(object) && !this.#pending.has(object)) {
          this.#pending.set(object, cause);
          this.#where.set(cause, object);
        }
        return;
      case 'dev.withdraw': {
        const waiting = this.#pending.get(object);
        this.#pending.delete(object);
        if (cause !== 0) {
          assert.equal(cause, waiting);
          this.#end(cause, 'withdrawn');
        }
        return;
      }
      case 'send':
        // I-P1: nothing is sent while masked. I-P4: no more messages than causes.
        assert.ok(!this.#masked(object), `${object} sends while it is masked`);
        this.#sends.set(object, (this.#sends.get(object) ?? 0) + 1);
        assert.ok(this.#sends.get(object)! <= this.#raises.get(object)!, `${object} sends more than was raised`);
        this.#where.set(cause, 'in flight');
        return;
      case 'cpu.accept':
        if (!this.#irr.has(object)) this.#irr.set(object, cause);
        if (cause !== 0) this.#where.set(cause, object);
        return;
      case 'ipi.send':
        return;
      case 'cpu.take': {
        assert.ok(this.#irr.has(object), `${object} is taken and was not requested`);
        const taken = this.#irr.get(object)!;
        this.#irr.delete(object);
        // A cause that was raised again elsewhere is no longer here.
        if (taken === 0 || this.#where.get(taken) !== object) return;
        this.#end(taken, 'delivered');
        this.#taken.set(taken, object);
        return;
      }
      case 'cpu.reset':
        for (const path of [...this.#irr.keys()]) if (path.startsWith(`${object}/`)) this.#irr.delete(path);
        return;
      case 'merge':
        this.#end(cause, 'merged');
        return;
      case 'drop':
        // What a CPU took, and no handler served.
        if (this.ends.get(cause) === 'delivered' && (object === this.#taken.get(cause) || object.startsWith('irq/'))) {
          this.#taken.delete(cause);
          this.ends.set(cause, 'dropped');
        } else if (cause !== 0) this.#end(cause, 'dropped');
        return;
      case 'untold':
        if (cause !== 0) this.#end(cause, 'untold');
        return;
    }
  }

  /** I-P2: a pending bit stands only where something masks. */
  rest(): void {
    assert.equal(this.#owed.size, 0, 'a message is owed');
    for (const path of this.#pending.keys()) assert.ok(this.#masked(path), `${path} is pending and not masked`);
  }

  /** Conservation: every cause has ended, is pending, or waits for a CPU. */
  close(causes: number): Record<End | 'pending', number> {
    const tally = { merged: 0, dropped: 0, untold: 0, withdrawn: 0, delivered: 0, pending: 0 };
    for (const how of this.ends.values()) tally[how]++;
    for (const [cause, where] of this.#where) {
      assert.equal(this.#pending.get(where), cause, `cause ${cause} is lost: it was last ${where}`);
      tally.pending++;
    }
    assert.equal(this.ends.size + this.#where.size, causes);
    return tally;
  }
}

const all = (simulation: Simulation): EventView[] =>
  Array.from({ length: simulation.trace.length }, (_, step) => viewEvent(simulation.trace, step));

describe('whatever is done', () => {
  it('no message leaves while masked, what is pending leaves once, and no cause is lost or told of twice', () => {
    fc.assert(
      fc.property(plan, (made) => {
        const simulation = carryOut(made);
        const watcher = new Watcher();
        let before = -1;
        for (const event of all(simulation)) {
          const now = Number(event.time);
          if (now > before) watcher.rest();
          before = now;
          watcher.take(event);
        }
        watcher.rest();
        const { ledger } = simulation.machine;
        assert.deepEqual(ledger.twice, []);
        const { inFlight, ...tally } = ledger.tally();
        assert.equal(inFlight, 0);
        assert.deepEqual(watcher.close(ledger.causes), tally);
      }),
      { numRuns: 1500, seed: 20261124, interruptAfterTimeLimit: 60_000 },
    );
  });

  it('no vector of a CPU is held twice, and the books of the matrix are those of the irqs', () => {
    fc.assert(
      fc.property(plan, (made) => {
        const held = new Map<string, string>();
        const of = new Map<string, { now: string; before: string }>();
        for (const { kind, object, fields } of all(carryOut(made))) {
          const at = (cpu: unknown, vector: unknown): string => `${String(cpu)}/${String(vector)}`;
          if (kind === 'mtx.alloc' || kind === 'mtx.allocManaged') {
            const slot = at(fields.cpu, fields.vector);
            assert.ok(!held.has(slot), `${slot} is allocated twice`);
            held.set(slot, '');
          } else if (kind === 'mtx.free') {
            assert.ok(held.delete(at(fields.cpu, fields.vector)), 'freed and not allocated');
          } else if (kind === 'vec.update') {
            const slot = at(fields.cpu, fields.vector);
            assert.equal(held.get(slot), '', `${slot} of ${object} was not just allocated`);
            held.set(slot, object);
            of.set(object, { now: slot, before: fields.prevVector === 0 ? '' : at(fields.prevCpu, fields.prevVector) });
          } else if (kind === 'vec.freeMoved') {
            assert.equal(of.get(object)?.before, at(fields.cpu, fields.vector), 'a move that never was is finished');
          } else if (kind === 'vec.clear' || kind === 'vec.teardown') of.delete(object);
        }
        // Nothing leaks: what is held in the end is the vector of an irq, or the one that it is moving away from.
        for (const [slot, owner] of held) {
          const has = of.get(owner);
          assert.ok(has?.now === slot || has?.before === slot, `${slot} of ${owner} is nobody's any more`);
        }
      }),
      { numRuns: 400, seed: 20261125, interruptAfterTimeLimit: 60_000 },
    );
  });

  it('the same recipe gives the same events, and the recipe of a run gives that run', () => {
    fc.assert(
      fc.property(plan, (made) => {
        const one = carryOut(made);
        const lines = (simulation: Simulation): string[] =>
          Array.from({ length: simulation.trace.length }, (_, step) => eventLine(simulation.trace, step));
        const expected = lines(one);
        assert.deepEqual(lines(carryOut(made)), expected);
        const again = new Simulation(one.recipe);
        again.run();
        assert.deepEqual(lines(again), expected);
      }),
      { numRuns: 200, seed: 20261126, interruptAfterTimeLimit: 60_000 },
    );
  });
});
