import { textOf } from '../../base/bytes.ts';
import type { EventKind } from '../../model/event.ts';
import { vfioGuest } from '../../model/events/vfio.ts';
import { decodersById } from '../../model/message.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { objectAt } from '../objects.ts';
import { type Captures, captures, type Names, Pattern } from '../pattern.ts';
import { PciMap } from './pcimap.ts';

/** What the importer remembers of one thread of the emulator: its last accesses. */
export interface ThreadContext {
  /** Virtual CPU that the thread runs, or -1. */
  vcpu: number;
  /** Function whose config space was written last, by object number, and its printed name; -1 none. */
  configDevice: number;
  configName: string;
  configOffset: number;
  configValue: number;
  /** Size of the config access whose memory access was printed just before; 0 unknown. */
  configSize: number;
  /** A config read whose real size may follow: function, offset, value, size that was assumed; -1 none. */
  readDevice: number;
  readOffset: number;
  readValue: number;
  readSize: number;
  /** Entry (or MSI capability) for which a device reported a cause last; -1 none. */
  raised: number;
  /** VFIO vector used last; -1 none. */
  vfioVector: number;
  /** Remapping table entry and ITS device looked up last; -1 none. */
  irte: number;
  itsDevice: number;
  itsEvent: number;
  /** Requester of the last AMD remapping request, or -1. */
  amdDevice: number;
  /** Last access that an SMMU translated: requester (-1 none), and the low halves of its address before and after. */
  smmuRequester: number;
  smmuInput: number;
  smmuOutput: number;
}

function newThread(): ThreadContext {
  return {
    vcpu: -1,
    configDevice: -1,
    configName: '',
    configOffset: -1,
    configValue: 0,
    configSize: 0,
    readDevice: -1,
    readOffset: 0,
    readValue: 0,
    readSize: 0,
    raised: -1,
    vfioVector: -1,
    irte: -1,
    itsDevice: -1,
    itsEvent: -1,
    amdDevice: -1,
    smmuRequester: -1,
    smmuInput: 0,
    smmuOutput: 0,
  };
}

/** What the rules of the QEMU log share: the builder, the line at hand, the threads, the PCI address map. */
export class Qemu {
  readonly out: TraceBuilder;
  readonly pci: PciMap;
  readonly #threads = new Map<number, ThreadContext>();
  /** The bytes of the line at hand. */
  buf: Uint8Array = new Uint8Array(0);
  /** The thread that printed it; one for all where the log does not tell. */
  thread: ThreadContext = newThread();
  /** Config accesses are also printed as memory accesses, with their size. */
  sizedConfig = false;
  readonly #vtdIndices = new Map<number, number>();
  /** The log prints the guest's own config reads. */
  configReads = false;

  constructor(out: TraceBuilder) {
    this.out = out;
    this.pci = new PciMap(out);
  }

  /** Makes a thread the current one; 0 where the log has no thread ids. */
  onThread(id: number): void {
    let thread = this.#threads.get(id);
    if (thread === undefined) this.#threads.set(id, (thread = newThread()));
    this.thread = thread;
  }

  /** A captured text. */
  text(slot: number): string {
    return textOf(this.buf, captures.start[slot]!, captures.end[slot]!);
  }

  /** The number of a captured text in the string table. */
  str(slot: number): number {
    return this.out.world.strings.internBytes(this.buf, captures.start[slot]!, captures.end[slot]!);
  }

  /** Emits an event with the arguments in the builder's words. */
  emit(kind: EventKind, object: number): void {
    this.out.emit(kind, object);
  }

  /** Ties the VFIO device of the host to the function that the guest sees. */
  guestOf(host: number, guest: number): void {
    this.out.words[vfioGuest.at.guest] = this.out.world.strings.intern(
      this.out.world.path(guest).replace('device/', ''),
    );
    this.emit(vfioGuest, host);
  }

  /** The IRTE that a VT-d message names, or -1. Logs repeat few different messages, so decoded ones are remembered. */
  vtdIndex(lo: number, hi: number, data: number): number {
    const key = hi === 0 && data < 0x100000 ? data * 0x100000000 + lo : -1;
    const known = this.#vtdIndices.get(key);
    if (known !== undefined && key >= 0) return known;
    const index = decodersById.vtd.decode(lo, hi, data)?.index ?? -1;
    if (this.#vtdIndices.size < 0x10000) this.#vtdIndices.set(key, index);
    return index;
  }

  /** The object at a path, of the type that the path has. */
  object(path: string): number {
    return objectAt(this.out.world, path);
  }
}

/** One event of the log: its name, its print formats, and what it means. */
export interface QemuRule {
  readonly name: string;
  /** Reads the arguments (bytes `start` to `end` of the line). Null: they have none of the known forms. */
  readonly take: (q: Qemu, start: number, end: number) => boolean | null;
}

/** `use` returns false when the record turns out to be without effect. */
export type Use<F extends string> = (
  q: Qemu,
  c: Captures,
  s: { readonly [K in Names<F>]: number },
  w: Uint32Array,
) => unknown;

/** Makes the rule of one event. Print formats are tried in order; versions of the emulator differ. */
export function rule<const F extends string>(name: string, formats: F | readonly F[], use: Use<F>): QemuRule {
  const patterns = (typeof formats === 'string' ? [formats] : formats).map((f) => new Pattern<F>(f));
  return {
    name,
    take: (q, start, end) => {
      for (const pattern of patterns) {
        if (pattern.match(q.buf, start, end)) return use(q, captures, pattern.slot, q.out.words) !== false;
      }
      return null;
    },
  };
}

/** A rule whose print formats capture different things: the first that reads the arguments takes them. */
export function either(first: QemuRule, second: QemuRule): QemuRule {
  return { name: first.name, take: (q, start, end) => first.take(q, start, end) ?? second.take(q, start, end) };
}
