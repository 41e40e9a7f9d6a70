import type { ObjectId } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { apicAccept, apicInject } from '../../model/events/apic.ts';
import { sysEntry } from '../../model/events/cpu.ts';
import { irqEntry, msgWrite } from '../../model/events/irq.ts';
import { tblWrite } from '../../model/events/msix.ts';
import { mark } from '../../model/events/notes.ts';
import { iecInvalidate } from '../../model/events/remap.ts';
import { vecConfig, vecUpdate } from '../../model/events/vector.ts';
import { vfioUse } from '../../model/events/vfio.ts';
import { kvmEntry, kvmMmio } from '../../model/events/virt.ts';
import { isInterruptAddress, x86Address, x86Data, x86Destination } from '../../model/registers/x86.ts';
import { type EventRow, eventRow } from '../../trace/row.ts';
import type { MarkByte, Source } from '../../trace/source.ts';
import type { EventList } from '../../trace/table.ts';
import type { Trace } from '../../trace/trace.ts';

/** An event of a trace of one file that another file may show, too. */
export interface Instant {
  /** Its step in that trace. */
  readonly row: number;
  /** Its time, nanoseconds since the base of the clock of that trace. */
  readonly time: number;
  /** The object of the event. */
  readonly object: ObjectId;
}

/**
 * From where a source shows an instant: the kernel that acts, the hardware (of an emulated machine) that is acted on, the
 * hypervisor that the access exits to, the log that the kernel writes.
 */
export type Side = 'kernel' | 'hardware' | 'hypervisor' | 'log';

/** What two sources can both show, with the words for it, and the nanoseconds that lie between the two records, usually and at most. */
export const TRAITS = {
  /** A kernel stores a message: pci_write_msg_msix writes address and data one after the other, within microseconds. */
  message: { what: 'the same message was stored', usual: 5e4, error: 2e6 },
  /** A kernel invalidates entries in the cache of the remapping unit, and the unit does it. */
  invalidation: { what: 'the same IRTE was invalidated', usual: 3e5, error: 2e6 },
  /** VFIO in the host serves a vector from the moment on that the VMM asks for it. */
  assigned: { what: 'the same vector of an assigned device was set up', usual: 5e6, error: 2e7 },
  /** KVM puts a vector into a local APIC, and the kernel of the guest runs its handler. */
  delivery: { what: 'the same vector was accepted and handled', usual: 5e5, error: 5e6 },
  /** KVM injects a vector at an entry, and the virtual CPU goes to its handler at once. */
  entry: { what: 'the same vector was injected at an entry and handled', usual: 5e4, error: 2e6 },
  /** A script writes a mark into the trace, and another program a byte to the debug console: 13 ms later, 100 ms on a machine that is busy. */
  mark: { what: 'the same mark was written', usual: 2e7, error: 2e8, late: 'hardware' },
  /** The log of a kernel has a line, and its trace shows that the line went to the console: at once since 5.15, before that as soon as the console is free. */
  line: { what: 'the same line was logged', usual: 5e4, error: 5e8, late: 'kernel' },
} as const;

export type Trait = keyof typeof TRAITS;

/** The instants of a source, by what they show, from which side, and a key that the same instant has in another source. */
export class Instants {
  readonly #all = new Map<string, Map<string, Instant[]>>();

  add(trait: Trait, side: Side, key: string, instant: Instant): void {
    const name = `${trait} ${side}`;
    let keys = this.#all.get(name);
    if (keys === undefined) this.#all.set(name, (keys = new Map()));
    const list = keys.get(key);
    if (list === undefined) keys.set(key, [instant]);
    else list.push(instant);
  }

  of(trait: Trait, side: Side): ReadonlyMap<string, readonly Instant[]> {
    return this.#all.get(`${trait} ${side}`) ?? NONE;
  }
}

const NONE: ReadonlyMap<string, readonly Instant[]> = new Map();

/**
 * A message as a key. In compatibility format it is destination and vector, which is all that some records tell; another message is
 * its address and data. Undefined for an address of zero: the teardown.
 */
function messageKey(lo: number, hi: number, data: number): string | undefined {
  if (lo === 0 && hi === 0) return undefined;
  if (!isInterruptAddress(lo) || x86Address.f.format.in(lo)) return `${hi}/${lo}/${data}`;
  return targetKey(x86Destination(lo, hi), x86Data.f.vector.of(data));
}

const targetKey = (dest: number, vector: number): string => `${dest} ${vector}`;

/** Finds what another source may show, too. */
export function instantsOf({ world, table: events, time: clock, first }: Trace): Instants {
  const machine = first.format === 'qemu-log';
  const found = new Instants();
  if (clock.ticks) return found;
  const tables = new TableWrites();
  const traps = new TableWrites();
  const targets = new Map<ObjectId, string>();
  let at: Instant = { row: 0, time: 0, object: -1 };
  const readers = new Map<EventKind, (row: EventRow) => void>();
  const on = (kind: EventKind, read: (row: EventRow) => void): void => void readers.set(kind, read);
  // A kernel that shows its stores also shows what they hold before: only one of the two is taken.
  const stores = shows(events, msgWrite);
  if (stores)
    on(msgWrite, ({ words, at: w }) => {
      const a = msgWrite.read(words, w);
      const key = messageKey(a.address(0), a.address(1), a.data);
      if (key !== undefined) found.add('message', 'kernel', key, at);
    });
  on(vecConfig, ({ words, at: w, object }) => {
    const a = vecConfig.read(words, w);
    targets.set(object, targetKey(a.cpu, a.vector));
    if (!stores) found.add('message', 'kernel', targetKey(a.apicDest, a.vector), at);
  });
  on(vecUpdate, ({ words, at: w, object }) => {
    const a = vecUpdate.read(words, w);
    targets.set(object, targetKey(a.cpu, a.vector));
  });
  on(tblWrite, ({ words, at: w, object }) => {
    const a = tblWrite.read(words, w);
    const key = tables.write(object, a.offset % ENTRY, a.size, a.value(0), a.value(1));
    if (key !== undefined) found.add('message', 'hardware', key, at);
  });
  on(kvmMmio, ({ words, at: w }) => {
    const a = kvmMmio.read(words, w);
    if (!a.write || a.size === 0) return;
    const low = a.address(0);
    const key = traps.write(a.address(1) * TWO32 + low - (low % ENTRY), low % ENTRY, a.size, a.value(0), a.value(1));
    if (key !== undefined) found.add('message', 'hypervisor', key, at);
  });
  on(iecInvalidate, ({ words, at: w }) => {
    const a = iecInvalidate.read(words, w);
    found.add('invalidation', machine ? 'hardware' : 'kernel', a.global ? 'all' : `${a.index} ${a.mask}`, at);
  });
  on(vfioUse, ({ words, at: w, object }) => {
    const a = vfioUse.read(words, w);
    if (a.used !== false) found.add('assigned', machine ? 'hardware' : 'hypervisor', world.path(object), at);
  });
  on(apicAccept, ({ object }) => {
    const node = world.node(object);
    const vcpu = node?.parent?.parent?.segment;
    if (node !== undefined && vcpu !== undefined) found.add('delivery', 'hypervisor', `${vcpu} ${node.segment}`, at);
  });
  // What is injected at the next entry of each virtual CPU.
  const injected = new Map<string, string>();
  on(apicInject, ({ object, words, at: w }) => {
    const node = world.node(object);
    const vcpu = node?.parent?.parent?.segment;
    if (node !== undefined && vcpu !== undefined && !apicInject.read(words, w).reinjected)
      injected.set(vcpu, `${vcpu} ${node.segment}`);
  });
  on(kvmEntry, ({ object }) => {
    const vcpu = world.node(object)?.segment;
    const key = vcpu === undefined ? undefined : injected.get(vcpu);
    if (key === undefined) return;
    found.add('entry', 'hypervisor', key, at);
    injected.delete(vcpu!);
  });
  const handled = (key: string): void => {
    found.add('delivery', 'kernel', key, at);
    found.add('entry', 'kernel', key, at);
  };
  on(irqEntry, ({ object }) => {
    const target = targets.get(object);
    if (target !== undefined) handled(target);
  });
  on(sysEntry, ({ object }) => {
    const node = world.node(object);
    if (node?.parent?.segment === 'vector') handled(`${node.parent.parent?.segment} ${node.segment}`);
  });
  on(mark, ({ words, at: w }) => {
    const text = world.strings.text(mark.read(words, w).text).trim();
    found.add('mark', 'kernel', `text ${text}`, at);
    const number = /\d+/.exec(text)?.[0];
    if (number !== undefined) found.add('mark', 'kernel', `byte ${Number(number) % 256}`, at);
  });
  const row = eventRow(irqEntry);
  for (let i = 0; i < events.length; i++) {
    const read = readers.get(events.kind(i));
    if (read === undefined) continue;
    events.read(i, row);
    if (Number.isNaN(row.time)) continue;
    at = { row: i, time: row.time, object: row.object };
    read(row);
  }
  for (const { key, row: before, time } of marksOf(first.markBytes ?? []))
    found.add('mark', 'hardware', key, { row: Math.max(0, before), time, object: -1 });
  addLines(found, first);
  return found;
}

/** The lines of the kernel's log alone. */
export function linesOf({ first, time }: Trace): Instants {
  const found = new Instants();
  if (!time.ticks) addLines(found, first);
  return found;
}

function addLines(found: Instants, { format, logLines = [] }: Source): void {
  const side = format === 'dmesg' ? 'log' : 'kernel';
  for (const { text, row, time } of logLines)
    found.add('line', side, text, { row: Math.max(0, row), time, object: -1 });
}

/** Nanoseconds between two bytes of one text. */
const ONE_TEXT = 5e7;
/** Fewer characters are no text but numbers. */
const SHORT = 3;

/** What the bytes at a debug console say: texts that end with their line, and numbers. */
function marksOf(bytes: readonly MarkByte[]): { readonly key: string; readonly row: number; readonly time: number }[] {
  const found: { key: string; row: number; time: number }[] = [];
  let text: MarkByte[] = [];
  const flush = (): void => {
    const [first] = text;
    if (first !== undefined && text.length >= SHORT) {
      const key = `text ${String.fromCharCode(...text.map(({ value }) => value)).trim()}`;
      found.push({ key, row: first.row, time: first.time });
    } else for (const { value, row, time } of text) found.push({ key: `byte ${value}`, row, time });
    text = [];
  };
  for (const byte of bytes) {
    if (Number.isNaN(byte.time)) continue;
    const last = text.at(-1);
    if (last !== undefined && byte.time - last.time > ONE_TEXT) flush();
    const printable = byte.value >= 0x20 && byte.value < 0x7f;
    if (byte.value === 0x0a && text.length >= SHORT) flush();
    else if (printable) text.push(byte);
    else {
      flush();
      found.push({ key: `byte ${byte.value}`, row: byte.row, time: byte.time });
    }
  }
  flush();
  return found;
}

const ENTRY = 16;
const TWO32 = 2 ** 32;

function shows(events: EventList, wanted: EventKind): boolean {
  for (let row = 0; row < events.length; row++) if (events.kind(row) === wanted) return true;
  return false;
}

/** Puts stores of 4 or 8 bytes into entries of a table together: the message is complete when its data is stored. */
class TableWrites {
  readonly #addresses = new Map<number, { lo: number; hi: number }>();

  /** Takes a store; the key of the message that it completes. */
  write(entry: number, offset: number, size: number, lo: number, hi: number): string | undefined {
    let known = this.#addresses.get(entry);
    if (known === undefined) this.#addresses.set(entry, (known = { lo: -1, hi: -1 }));
    if (offset === 0) known.lo = lo;
    if (offset === 0 && size === 8) known.hi = hi;
    if (offset === 4) known.hi = lo;
    if (offset !== 8 || known.lo < 0 || known.hi < 0) return undefined;
    return messageKey(known.lo, known.hi, lo);
  }
}
