/**
 * VFIO_DEVICE_SET_IRQS as a kernel trace shows it: a probe at vfio_pci_set_irqs_ioctl and one at its return, and what a program writes
 * into the trace about its own call. The function has no argument that names the device in words; the thread's earlier calls do.
 * Meaning of flags and results: include/uapi/linux/vfio.h, drivers/vfio/pci/vfio_pci_intrs.c.
 */
import { vfioBind, vfioFire, vfioMask, vfioMode, vfioReturn, vfioSet, vfioUse } from '../../model/events/vfio.ts';
import { vfioVector } from '../../model/things/virt.ts';
import type { Ftrace } from './context.ts';
import { forgetVector, noteVector } from './eventfds.ts';
import { IRQFD_FLAGS, tellIrqfd } from './irqfd.ts';

/** VFIO_IRQ_SET_*: what the data are, and what is to be done. */
const FLAGS = {
  DATA_NONE: 0x1,
  DATA_BOOL: 0x2,
  DATA_EVENTFD: 0x4,
  ACTION_MASK: 0x8,
  ACTION_UNMASK: 0x10,
  ACTION_TRIGGER: 0x20,
};
const INDEXES = ['INTX', 'MSI', 'MSIX', 'ERR', 'REQ'];
const MODES = ['intx', 'msi', 'msix'];
/** Most vectors of a function (MSI-X). */
const MOST_VECTORS = 2048;

/** One call, as far as its arguments are known. */
interface Call {
  readonly flags: number;
  readonly index: number;
  readonly start: number;
  readonly count: number;
  /** Eventfds or booleans of the vectors; undefined where the trace does not tell. */
  readonly data?: readonly number[] | undefined;
}

const BDF = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** What is remembered of a thread. */
interface Thread {
  /** Devices that it has open, by file descriptor. */
  readonly devices: Map<number, string>;
  /** The call that began and did not return yet. */
  open: (Call & { readonly device: string | undefined }) | undefined;
  /** The call that returned last; undefined while no return was seen. */
  returned: (Call & { readonly ret: number }) | undefined;
}

class Calls {
  /** What is remembered of threads, by their number. */
  readonly threads = new Map<number, Thread>();
  /** Devices by the address of the kernel's object for them. */
  readonly objects = new Map<string, string>();
}

const known = new WeakMap<Ftrace, Calls>();

function callsOf(f: Ftrace): Calls {
  let calls = known.get(f);
  if (calls === undefined) known.set(f, (calls = new Calls()));
  return calls;
}

/** What is remembered of the thread at hand; nothing of one that the record does not name. */
function threadOf(f: Ftrace): Thread {
  const { threads } = callsOf(f);
  const known = threads.get(f.thread);
  if (known !== undefined) return known;
  const thread: Thread = { devices: new Map(), open: undefined, returned: undefined };
  if (f.thread >= 0) threads.set(f.thread, thread);
  return thread;
}

/** The device of a call: that of the file descriptor, or the only one that the thread has open. */
function deviceOf(thread: Thread, fd?: number): string | undefined {
  if (fd !== undefined) return thread.devices.get(fd);
  const [only, more] = thread.devices.values();
  return more === undefined ? only : undefined;
}

const objectOf = (f: Ftrace, device: string | undefined): number =>
  f.object(device === undefined ? 'vfio/ioctl' : `vfio/${device}`);

/**
 * A call begins (probe at the function). `named`: the device, where an argument of the probe names it; `object`: the address of the
 * kernel's object for it, where the probe shows that.
 */
export function beginSetIrqs(f: Ftrace, named: string | undefined, object: string | undefined, call: Call): void {
  const thread = threadOf(f);
  const { objects } = callsOf(f);
  const told = named !== undefined && BDF.test(named) ? named : deviceOf(thread);
  const device = told ?? (object === undefined ? undefined : objects.get(object));
  if (told !== undefined && object !== undefined) objects.set(object, told);
  thread.open = { ...call, device };
  f.emit(vfioSet.put().flags(call.flags).index(call.index).start(call.start).count(call.count), objectOf(f, device));
  if (device === undefined) doubt(f, call);
}

/** It returns (probe at the return of the function); false when its beginning was not seen. */
export function endSetIrqs(f: Ftrace, ret: number): boolean {
  const thread = threadOf(f);
  const { open } = thread;
  if (open === undefined) return false;
  thread.open = undefined;
  thread.returned = { ...open, ret };
  const { index, start, count, device } = open;
  f.emit(vfioReturn.put().index(index).start(start).count(count).ret(ret), objectOf(f, device));
  if (device !== undefined) apply(f, device, open, ret);
  return true;
}

const SET_IRQS =
  /^ioctl\((\d+), VFIO_DEVICE_SET_IRQS, \{argsz=\d+, (?:flags=)?([\w|]+), index=(?:VFIO_PCI_([A-Z]+)_IRQ_INDEX|(\d+)), start=(\d+), count=(\d+)(?:, data=\[([-\d, ]*)\])?\}\).* = (-?\d+)/;
const DEVICE_FD = /^ioctl\(\d+, VFIO_GROUP_GET_DEVICE_FD, "([0-9a-f:.]{1,20})"\).* = (\d+)/;
const IRQFD = /^ioctl\(\d+, KVM_IRQFD, \{fd=(\d+), gsi=(\d+)(?:, flags=([\w|]+))?[^{}]*\}\).* = (-?\d+)/;
const CLOSE = /^close\((\d+)\).* = 0/;

/** Flags as numbers or by name, joined by `|`. */
function flagsOf(text: string, names: Readonly<Record<string, number>>): number {
  let all = 0;
  for (const word of text.split('|'))
    all |= names[word.replace(/^(?:VFIO_IRQ_SET|KVM_IRQFD_FLAG)_/, '')] ?? Number(word);
  return all;
}

/** A text that a program wrote into the trace: perhaps a call of its own, with result and data. */
export function noteCall(f: Ftrace, text: string): void {
  const opened = DEVICE_FD.exec(text);
  if (opened) threadOf(f).devices.set(Number(opened[2]), opened[1]!);
  const closed = opened ? null : CLOSE.exec(text);
  if (closed) threadOf(f).devices.delete(Number(closed[1]));
  const tied = IRQFD.exec(text);
  if (tied && Number(tied[4]) === 0)
    tellIrqfd(f, Number(tied[1]), Number(tied[2]), flagsOf(tied[3] ?? '0', IRQFD_FLAGS));
  const m = SET_IRQS.exec(text);
  if (!m) return;
  const thread = threadOf(f);
  const device = deviceOf(thread, Number(m[1]));
  if (device === undefined) return;
  const flags = flagsOf(m[2]!, FLAGS);
  const call: Call = {
    flags,
    index: m[3] === undefined ? Number(m[4]) : INDEXES.indexOf(m[3]),
    start: Number(m[5]),
    count: Number(m[6]),
    data: m[7] === undefined ? undefined : m[7].split(',').map(Number),
  };
  const { returned } = thread;
  if (returned === undefined) {
    apply(f, device, call, Number(m[8]));
    return;
  }
  // The probes told the rest. A call that they did not see was refused before it reached the function.
  const same =
    returned.flags === flags &&
    returned.index === call.index &&
    returned.start === call.start &&
    returned.count === call.count;
  if (same && returned.ret === 0 && call.data !== undefined && setsEventfds(call)) bind(f, device, call);
}

const setsEventfds = (call: Call): boolean => call.flags === (FLAGS.DATA_EVENTFD | FLAGS.ACTION_TRIGGER);

/** The vectors that a call is about. */
function vectorsOf(f: Ftrace, device: string, { index, start, count }: Call): number[] {
  if (index > 4 || start + count > MOST_VECTORS) return [];
  return Array.from({ length: count }, (_, i) => f.object(`vfio/${device}/${index}/${start + i}`));
}

const disables = ({ flags, count }: Call): boolean => flags === (FLAGS.DATA_NONE | FLAGS.ACTION_TRIGGER) && count === 0;

/**
 * A call about an unknown device may be about any: of vectors that it would change, it is not known any more whether they are used,
 * and which eventfd they signal.
 */
function doubt(f: Ftrace, call: Call): void {
  if (!setsEventfds(call) && !disables(call)) return;
  const { world, state } = f.out;
  const last = disables(call) ? MOST_VECTORS : call.start + call.count;
  for (const device of world.find('vfio')?.children.values() ?? [])
    for (const { object, segment } of device.children.get(String(call.index))?.children.values() ?? []) {
      const n = Number(segment);
      if (n < call.start || n >= last || state.known(object, vfioVector.at.used) === 0) continue;
      f.emit(vfioUse.put(), object);
      if (state.num(object, vfioVector.at.eventfd) >= 0) f.emit(withIrq(f, object, vfioBind.put()), object);
      forgetVector(f, object);
    }
}

/** What a call did, by its result. */
function apply(f: Ftrace, device: string, call: Call, ret: number): void {
  const { flags, index, count } = call;
  const vectors = vectorsOf(f, device, call);
  if (setsEventfds(call)) {
    if (ret === 0 && call.data !== undefined) bind(f, device, call);
    // An error may have torn down vectors of the block; without the data of the call, it may have released some.
    else if (ret <= 0) for (const vector of vectors) unsure(f, vector);
    // A positive result: so many are possible, and none is enabled.
    else for (const vector of vectors) release(f, vector);
    if (ret === 0 && count > 0) mode(f, device, index, true);
    return;
  }
  if (ret !== 0) return;
  if (disables(call)) {
    const nodes = f.out.world.find(`vfio/${device}/${index}`)?.children.values() ?? [];
    for (const { object } of nodes) if (f.out.state.present(object)) release(f, object);
    mode(f, device, index, false);
  } else if (flags === (FLAGS.DATA_NONE | FLAGS.ACTION_TRIGGER)) {
    for (const vector of vectors) f.emit(vfioFire.put(), vector);
  } else if (flags === (FLAGS.DATA_NONE | FLAGS.ACTION_MASK) || flags === (FLAGS.DATA_NONE | FLAGS.ACTION_UNMASK)) {
    const masked = flags === (FLAGS.DATA_NONE | FLAGS.ACTION_MASK);
    for (const vector of vectors) f.emit(vfioMask.put().masked(masked).by(f.intern('ioctl')), vector);
  }
}

function mode(f: Ftrace, device: string, index: number, enabled: boolean): void {
  const name = MODES[index];
  if (name !== undefined) f.emit(vfioMode.put().mode(f.intern(name)).enabled(enabled), f.object(`vfio/${device}`));
}

function release(f: Ftrace, vector: number): void {
  f.emit(vfioUse.put().used(false), vector);
  f.emit(vfioBind.put(), vector);
  forgetVector(f, vector);
}

function unsure(f: Ftrace, vector: number): void {
  f.emit(vfioUse.put(), vector);
  f.emit(vfioBind.put(), vector);
  forgetVector(f, vector);
}

/** Keeps the host irq of a vector, where it is known. */
function withIrq(f: Ftrace, vector: number, event: ReturnType<typeof vfioBind.put>): typeof event {
  const irq = f.out.state.num(vector, vfioVector.at.irq);
  return irq < 0 ? event : event.irq(irq);
}

/** The eventfds of a call are those of its vectors from now on; -1 is none. */
function bind(f: Ftrace, device: string, call: Call): void {
  for (const [i, vector] of vectorsOf(f, device, call).entries()) {
    const fd = call.data![i] ?? -1;
    if (fd < 0) {
      release(f, vector);
      continue;
    }
    f.emit(vfioUse.put().used(true), vector);
    f.emit(withIrq(f, vector, vfioBind.put().eventfd(fd)), vector);
    noteVector(f, vector, fd);
  }
}

/** The handler of a vector runs: it is one that is set up. */
export function handled(f: Ftrace, vector: number, irq: number): void {
  if (f.out.state.flag(vector, vfioVector.at.used) !== true) f.emit(vfioUse.put().used(true), vector);
  f.emit(vfioFire.put().irq(irq), vector);
}
