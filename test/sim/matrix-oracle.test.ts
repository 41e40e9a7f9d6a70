// The vector matrix against a real one: the irq_matrix tracepoints of a kernel print all numbers after every operation.
// The capture (kernel 6.12) begins before the first CPU is online, so nothing is taken over from it: every number and
// every choice of CPU and vector is the matrix's own. Two CPUs go offline in it; tracepoints are silent on a dying CPU,
// so their interrupts are moved here by the rules, and the records that follow show whether they went where the kernel's did.
import assert from 'node:assert/strict';
import { viewEvent } from '../../src/query/events.ts';
import { VectorMatrix } from '../../src/sim/irq/vector-matrix.ts';
import { Machine } from '../../src/sim/machine.ts';
import { TraceRecorder } from '../../src/sim/recorder.ts';
import { newTrace } from '../../src/sim/simulation.ts';
import { fixtureLines } from '../helpers/fixtures.ts';

/** What is known of an irq: where it is, and which CPUs it may go to. */
interface Irq {
  cpu: number;
  vector: number;
  managed: boolean;
  mask: readonly number[] | undefined;
}

/** FIRST_SYSTEM_VECTOR of that kernel: 0xeb is the notification vector of posted MSIs. 201 of 203 vectors are free: 0x32 and 0x80 are not. */
const END = 0xeb;

const list = (text: string): number[] =>
  text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return Array.from({ length: to! - from! + 1 }, (_, i) => from! + i);
  });

class Oracle {
  readonly #recorder = new TraceRecorder(newTrace('oracle'));
  readonly #machine = new Machine(this.#recorder, 1);
  readonly #matrix = new VectorMatrix(this.#machine, 4, [], 0x20, END);
  readonly #irqs = new Map<number, Irq>();
  /** CPUs on which a vector was set aside since the last managed irq was set up: the mask of the next. */
  readonly #managed: number[] = [];
  readonly #online = new Set<number>();
  readonly checked: string[] = [];

  /** Sends an irq away from a CPU that goes offline: where it may go, or anywhere; a managed one is shut down. */
  offline(cpu: number): void {
    this.#online.delete(cpu);
    for (const irq of [...this.#irqs].sort((a, b) => a[0] - b[0]).map(([, at]) => at)) {
      if (irq.cpu !== cpu || irq.vector === 0) continue;
      const { vector } = irq;
      const left = (irq.mask ?? []).filter((n) => this.#online.has(n));
      if (irq.managed && left.length === 0) irq.vector = 0;
      else {
        const slot = irq.managed
          ? this.#matrix.allocManaged(left)
          : this.#matrix.alloc(left.length > 0 ? left : [...this.#online].sort(), false);
        assert.ok(typeof slot === 'object');
        irq.cpu = slot.cpu;
        irq.vector = slot.vector;
      }
      this.#matrix.free(cpu, vector, irq.managed);
    }
    this.#matrix.offline(cpu);
  }

  mask(virq: number, cpus: readonly number[]): void {
    const irq = this.#irqs.get(virq);
    if (irq && !irq.managed) irq.mask = cpus;
  }

  /** vector_update: whose the vector is that was just allocated. */
  update(virq: number, vector: number, cpu: number): void {
    const irq = this.#irqs.get(virq);
    if (irq) Object.assign(irq, { vector, cpu });
    else this.#irqs.set(virq, { vector, cpu, managed: false, mask: undefined });
  }

  clear(virq: number): void {
    const irq = this.#irqs.get(virq);
    if (irq) irq.vector = 0;
  }

  setup(virq: number, managed: boolean): void {
    this.#irqs.set(virq, { cpu: 0, vector: 0, managed, mask: managed ? this.#managed.splice(0) : undefined });
  }

  /** Does what a record says was done, for an irq where the next record names one, and compares all that it prints. */
  replay(line: string, op: string, cpu: number, printed: Readonly<Record<string, number>>, virq: number): void {
    const matrix = this.#matrix;
    const before = this.#recorder.length;
    const { bit = -1 } = printed;
    const managed = this.#irqs.get(virq)?.managed === true;
    const all = [...this.#online].sort();
    this.#machine.as({ layer: 'cpu', name: 'oracle', cpu }, () => {
      if (op === 'assign_system') matrix.assignSystem(bit);
      else if (op === 'online') {
        this.#online.add(cpu);
        matrix.online(cpu);
      } else if (op === 'reserve') matrix.reserve();
      else if (op === 'remove_reserved') matrix.removeReserved();
      else if (op === 'assign') matrix.assign(printed.cpu!, bit);
      else if (op === 'reserve_managed') {
        this.#managed.push(printed.cpu!);
        assert.equal(matrix.reserveManaged([printed.cpu!]), 0, line);
      } else if (op === 'remove_managed') matrix.removeManaged([printed.cpu!]);
      else if (op === 'free') matrix.free(printed.cpu!, bit, managed);
      else {
        assert.match(op, /^alloc(_managed)?$/, line);
        const { mask } = this.#irqs.get(virq) ?? {};
        // A reservation is used up when the irq had no vector: then the record prints one less.
        const reserved = printed.global_rsvd! < matrix.globalReserved;
        const may = mask ? mask.filter((n) => this.#online.has(n)) : all;
        const slot = op === 'alloc' ? matrix.alloc(may, reserved) : matrix.allocManaged(may);
        assert.deepEqual(slot, { cpu: printed.cpu, vector: bit }, line);
      }
    });
    assert.equal(this.#recorder.length, before + 1, `nothing was done: ${line}`);
    const { fields } = viewEvent(this.#recorder.trace, before);
    const ours = {
      bit: fields.vector,
      cpu: fields.cpu,
      online: fields.online === undefined ? undefined : Number(fields.online),
      avl: fields.cpu === undefined ? undefined : fields.available,
      alloc: fields.allocated,
      managed: fields.managed,
      online_maps: fields.onlineMaps,
      global_avl: fields.cpu === undefined ? fields.available : fields.globalAvailable,
      global_rsvd: fields.reserved,
      total_alloc: fields.total,
    };
    const known = Object.fromEntries(Object.entries(ours).filter(([, value]) => value !== undefined));
    assert.deepEqual(known, printed, line);
    this.checked.push(op);
  }
}

describe('vector matrix', () => {
  it('prints after every operation what the kernel printed, and chooses the CPUs and vectors that it chose', () => {
    const oracle = new Oracle();
    const lines = fixtureLines('x86-vtd/ftrace.txt').map((l) => l.text);
    const numbers = (text: string): Record<string, number> =>
      Object.fromEntries([...text.matchAll(/(\w+)=(\d+)/g)].map((m) => [m[1]!, Number(m[2])]));
    for (const [i, line] of lines.entries()) {
      const m = /\[(\d+)\] \S+ +[\d.]+: (\w+): (.*)$/.exec(line);
      if (!m) continue;
      const [, cpu, name, text] = m as unknown as [string, string, string, string];
      const args = numbers(text);
      const affinity = /AFF irq=(\d+) list=(\S+)/.exec(text);
      const dying = /MARK \d+ cpu(\d+)-offline/.exec(text);
      if (affinity) oracle.mask(Number(affinity[1]), list(affinity[2]!));
      else if (dying) oracle.offline(Number(dying[1]));
      else if (name === 'vector_update') oracle.update(args.irq!, args.vector!, args.cpu!);
      else if (name === 'vector_setup') continue;
      else if (name === 'vector_reserve') oracle.setup(args.irq!, false);
      else if (name === 'vector_reserve_managed') oracle.setup(args.irq!, true);
      else if (name.startsWith('irq_matrix_')) {
        // Whose operation it is: an allocation is named by the record behind it, a release by the one before.
        const near = name.includes('alloc') ? lines.slice(i + 1, i + 6) : lines.slice(i - 5, i).reverse();
        const pattern = name.includes('alloc')
          ? /vector_alloc\w*: irq=(\d+)/
          : /vector_(?:clear|free_moved): irq=(\d+)/;
        const virq = Number(pattern.exec(near.find((l) => pattern.test(l)) ?? '')?.[1] ?? -1);
        oracle.replay(line, name.replace('irq_matrix_', ''), Number(cpu), args, virq);
        if (name === 'irq_matrix_free' && /vector_clear/.test(near.find((l) => pattern.test(l)) ?? ''))
          oracle.clear(virq);
      }
    }
    const counts: Record<string, number> = {};
    for (const op of oracle.checked) counts[op] = (counts[op] ?? 0) + 1;
    // What `grep -c` counts in the capture.
    assert.deepEqual(counts, {
      assign_system: 40,
      online: 6,
      assign: 15,
      free: 46,
      reserve: 53,
      alloc: 36,
      reserve_managed: 24,
      alloc_managed: 25,
      remove_reserved: 11,
      remove_managed: 12,
    });
  });
});
