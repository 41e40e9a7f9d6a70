import type { ObjectId } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { irqIdentify } from '../../model/events/irq.ts';
import { sourceEnd } from '../../model/events/notes.ts';
import { irq } from '../../model/things/irq.ts';
import { mention, msixEntry } from '../../model/things/pci.ts';
import type { World } from '../../model/world.ts';
import { eventRow } from '../../trace/row.ts';
import { Source } from '../../trace/source.ts';
import type { Trace } from '../../trace/trace.ts';

/** Events that follow from what sources show together: of one file, at its lines and with its clock. */
export class Derived {
  readonly source: Source;
  readonly #trace: Trace;
  readonly #of: Source;
  readonly #world: World;
  readonly #prefix: string;

  /** `trace`: the file, read alone; `of`: its first source in the joined trace. */
  constructor(trace: Trace, of: Source, world: World, prefix: string) {
    this.#trace = trace;
    this.#of = of;
    this.#world = world;
    this.#prefix = prefix;
    this.source = new Source({ ...of.facts, variant: 'what several sources show together', derived: true });
  }

  /**
   * Which entry an irq has, from the moment on at which the kernel stores the message and the device gets it: so the irq keeps its entry
   * when the message is torn down. `pairs`: instants of the kernel (this file) and of the machine.
   */
  identities(
    machine: Trace,
    pairs: readonly { readonly alone: boolean; readonly own: number; readonly other: number }[],
  ): void {
    const trace = this.#trace;
    for (const { alone, own, other } of [...pairs].sort((a, b) => a.own - b.own)) {
      const number = trace.table.object(own);
      const entry = machine.table.object(other);
      if (!alone || trace.world.type(number) !== irq || machine.world.type(entry) !== msixEntry) continue;
      const node = machine.world.node(entry);
      const device = node?.parent?.parent;
      if (node === undefined || device?.parent?.segment !== 'device') continue;
      const { strings } = this.#world;
      irqIdentify.put().device(strings.intern(device.segment)).hwirq(Number(node.segment));
      this.#emit(irqIdentify, this.#world.object(irq, this.#prefix + trace.world.path(number)), own);
    }
  }

  /** The file ends here, while others go on. */
  end(): void {
    const { length } = this.#trace;
    if (length === 0) return;
    sourceEnd.put().file(this.#world.strings.intern(this.#of.file));
    this.#emit(sourceEnd, this.#world.object(mention, 'source'), length - 1, this.#of.end);
  }

  #emit(kind: EventKind, object: ObjectId, step: number, time?: number): void {
    const { table } = this.#trace;
    const row = eventRow(kind);
    row.words = kind.words;
    row.time = time ?? this.#of.events.time(this.#trace.rowOf(step));
    row.cpu = time === undefined ? table.cpu(step) : -1;
    row.object = object;
    row.line = table.line(step);
    row.offset = table.offset(step);
    this.source.events.push(row);
  }
}
