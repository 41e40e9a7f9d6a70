import { vfioGuest } from '../../model/events/vfio.ts';
import { decodersById } from '../../model/message.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { rule as makeRule, type RecordRule, RuleContext, type Use } from '../rules.ts';
import { PciMap } from './pcimap.ts';

/** What the importer remembers of one thread of the emulator: its last accesses. */
export interface ThreadContext {
  /** Virtual CPU that the thread runs, or -1. */
  vcpu: number;
  /** Last value written to the upper half of the ICR, or -1. */
  icrHigh: number;
  /** Function whose config space was written last, by object number, and its printed name; -1 none. */
  configDevice: number;
  configName: string;
  configOffset: number;
  configValue: number;
  /** The record of that access had no bus number. */
  configNoBus: boolean;
  /** No record of VFIO has shown that write yet. */
  configEcho: boolean;
  /** Device of the host, offset and value of a config read through VFIO just before; empty when there is none. */
  vfioHost: string;
  vfioOffset: number;
  vfioValue: number;
  /** Functions that the last config write reset. */
  configReset: readonly number[];
  /** Size of the config access whose memory access was printed just before; 0 unknown. */
  configSize: number;
  /** A config read whose real size may follow: function, offset, value, size that was assumed; -1 none. */
  readDevice: number;
  readOffset: number;
  readValue: number;
  readSize: number;
  /** Config reads in steps of 4 bytes: function, next offset, how many so far, and those that were assumed shorter. */
  readonly walk: { device: number; next: number; length: number; readonly short: [offset: number, value: number][] };
  /** Entry (or MSI capability) for which a device reported a cause last; -1 none. */
  raised: number;
  /** Records of the thread so far. */
  records: number;
  /** The last write to Vector Control of a table entry: its record, address, and the emulator's name for the region. */
  readonly control: { record: number; address: number; region: string };
  /** VFIO vector used last; -1 none. */
  vfioVector: number;
  /** The record that told it. */
  vfioRecord: number;
  /** Routes of an assigned device that were added for no vector of MSI-X, with the vectors of MSI that they are for. */
  readonly msiRoutes: { readonly vector: number; readonly virq: number }[];
  /** Remapping table entry and ITS device looked up last; -1 none. */
  irte: number;
  itsDevice: number;
  itsEvent: number;
  /** Requester of the last AMD remapping request, or -1. */
  amdDevice: number;
  /** The unit read the entry of that request. */
  amdRead: boolean;
  /** A message that was written to an AMD unit, as long as the record that tells its requester has not come. */
  unsent: Message | undefined;
  /** Last access that an SMMU translated: requester (-1 none), and the low halves of its address before and after. */
  smmuRequester: number;
  smmuInput: number;
  smmuOutput: number;
}

/** A write of a message, as the log shows it. */
export interface Message {
  readonly lo: number;
  readonly hi: number;
  readonly data: number;
  readonly size: number;
}

/** An access that an SMMU refused, or let pass untranslated. */
export interface RefusedAccess {
  /** The halves of its address; `lo` -1: none, or not known. */
  lo: number;
  hi: number;
  /** Its stream, by object number; -1 not known. */
  stream: number;
  /** What the SMMU says of it. */
  why: string;
  /** An event of the stream was emitted for it. */
  told: boolean;
}

function newThread(): ThreadContext {
  return {
    vcpu: -1,
    icrHigh: -1,
    configDevice: -1,
    configName: '',
    configOffset: -1,
    configValue: 0,
    configNoBus: false,
    configEcho: false,
    vfioHost: '',
    vfioOffset: 0,
    vfioValue: 0,
    configReset: [],
    configSize: 0,
    readDevice: -1,
    readOffset: 0,
    readValue: 0,
    readSize: 0,
    walk: { device: -1, next: -1, length: 0, short: [] },
    raised: -1,
    records: 0,
    control: { record: -1, address: 0, region: '' },
    vfioVector: -1,
    vfioRecord: -1,
    msiRoutes: [],
    irte: -1,
    itsDevice: -1,
    itsEvent: -1,
    amdDevice: -1,
    amdRead: false,
    unsent: undefined,
    smmuRequester: -1,
    smmuInput: 0,
    smmuOutput: 0,
  };
}

/** What the rules of the QEMU log share: the line at hand, the threads, the PCI address map. */
export class Qemu extends RuleContext {
  readonly pci: PciMap;
  readonly #threads = new Map<number, ThreadContext>();
  /** The thread that printed it; one for all where the log does not tell. */
  thread: ThreadContext = newThread();
  #threadId = -1;
  /** Config accesses are also printed as memory accesses, with their size. */
  sizedConfig = false;
  readonly #vtdIndices = new Map<number, number>();
  /** Vector of the last line that says that x86 takes one, until it enters the handler; -1 none. */
  serviced = -1;
  /** Device models that a record named without telling which function it is. */
  readonly models = new Set<string>();
  /** Behind a write to an AMD unit the log tells the requester. */
  tellsRequester = false;
  /** Memory regions through which a remapping unit gets messages, by their pointers (text numbers), in logs that do not name regions. */
  readonly unitRegions = new Set<number>();
  /** Local APICs are in x2APIC mode, as the writes of their registers show. */
  x2apic = false;
  /** The log tells when QEMU begins to use a vector of an assigned device. */
  tellsUses = false;
  /** The log prints the guest's own config reads. */
  configReads = false;
  /** The stream of each memory region of an SMMU, by the name of the region (text number): records that translate name both. */
  readonly streams = new Map<number, number>();
  /** The last one, of any thread: lines of text name none. */
  readonly refused: RefusedAccess = { lo: -1, hi: 0, stream: -1, why: '', told: false };

  constructor(out: TraceBuilder) {
    super(out);
    this.pci = new PciMap(out);
  }

  /** Makes a thread the current one; 0 where the log has no thread ids. */
  onThread(id: number): void {
    if (id === this.#threadId) return;
    this.#threadId = id;
    let thread = this.#threads.get(id);
    if (thread === undefined) this.#threads.set(id, (thread = newThread()));
    this.thread = thread;
  }

  /** All threads that have printed something. */
  get threads(): Iterable<ThreadContext> {
    return this.#threads.values();
  }

  /** A function that was known by name only turned out to be another one: no thread remembers the old one. */
  moved(from: number, to: number): void {
    this.pci.moved(from, to);
    for (const thread of this.#threads.values()) {
      if (thread.configDevice === from) thread.configDevice = to;
      if (thread.readDevice === from) thread.readDevice = to;
      thread.configReset = thread.configReset.map((object) => (object === from ? to : object));
      if (thread.raised >= 0 && this.out.world.path(thread.raised).startsWith(`${this.out.world.path(from)}/`))
        thread.raised = -1;
    }
  }

  /** Ties the VFIO device of the host to the function that the guest sees. */
  guestOf(host: number, guest: number): void {
    const name = this.intern(this.out.world.path(guest).replace('device/', ''));
    this.emit(vfioGuest.put().guest(name).device(guest), host);
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
}

/** One event of the log: its name, its print formats, and what it means. */
export type QemuRule = RecordRule<Qemu>;

/** Makes the rule of one event. Print formats are tried in order; versions of the emulator differ. */
export function rule<const F extends string>(name: string, formats: F | readonly F[], use: Use<Qemu, F>): QemuRule {
  return makeRule(name, formats, use);
}
