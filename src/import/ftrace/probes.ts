/**
 * Probes that engineers set where the kernel has no static tracepoint (kprobe, fprobe and eprobe text). Their names are
 * the user's, so the probed function tells what a probe means. The names of its arguments are the user's too,
 * and a few spellings of each are understood.
 */

import { byName } from '../../base/by-name.ts';
import {
  COLON,
  DOT,
  EQUALS,
  hexDigit,
  MINUS,
  PAREN_CLOSE,
  PAREN_OPEN,
  Scanner,
  SPACE,
  textOf,
} from '../../base/bytes.ts';
import { hex64 } from '../../base/hex.ts';
import type { Written } from '../../model/event-args.ts';
import { domActivate, domAlloc } from '../../model/events/domain.ts';
import { irqAffinity, irqIdentify, irqMask, msgWrite } from '../../model/events/irq.ts';
import { probe } from '../../model/events/notes.ts';
import { irqfdWakeup } from '../../model/events/virt.ts';
import { functionOfHwirq } from '../../model/irq-source.ts';
import { pciMsiFunction, pciMsiHwirq } from '../../model/registers/hwirq.ts';
import { FIRST_LPI } from '../../model/registers/its.ts';
import { MSIX_ENTRIES } from '../../model/registers/pci.ts';
import { irq } from '../../model/things/irq.ts';
import { isNameByte } from '../names.ts';
import { type Ftrace, VM } from './context.ts';
import { itsAllocates, prepared, prepares } from './doorbells.ts';
import { beginIrqfd, endIrqfd, tellIrqfd } from './irqfd.ts';
import { beginSetIrqs, endSetIrqs } from './vfio.ts';

/** Arguments of the probe at hand by name: 64-bit numbers, and texts. */
export interface Args {
  readonly numbers: ReadonlyMap<string, { readonly lo: number; readonly hi: number }>;
  readonly texts: ReadonlyMap<string, string>;
}

/** Texts of arguments stand in quotes. */
const QUOTE = 34;

const scanner = new Scanner();

const irqObject = (f: Ftrace, n: number): number => f.out.world.byNumbers(irq, n & 0x3ffffff, 0, (a) => `irq/${a}`);

function first(args: Args, ...names: readonly string[]): { readonly lo: number; readonly hi: number } | undefined {
  for (const name of names) {
    const value = args.numbers.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * What the probed functions mean; false when an argument that is needed was not fetched. `caller`: at a return, the function that is
 * returned to.
 */
const functions: Readonly<Record<string, (f: Ftrace, args: Args, caller: string) => boolean>> = byName({
  __pci_write_msi_msg: writeMessage,
  pci_write_msi_msg: writeMessage,
  pci_msi_domain_write_msg: writeMessage,
  pci_irq_mask_msix: (f, a) => mask(f, a, true),
  pci_irq_unmask_msix: (f, a) => mask(f, a, false),
  pci_irq_mask_msi: (f, a) => mask(f, a, true),
  pci_irq_unmask_msi: (f, a) => mask(f, a, false),
  pci_msi_mask_irq: (f, a) => mask(f, a, true),
  pci_msi_unmask_irq: (f, a) => mask(f, a, false),
  generic_handle_domain_irq: hand,
  handle_domain_irq: hand,
  __handle_domain_irq: hand,
  its_set_affinity: affinity,
  its_irq_domain_activate: (f, a) => lpi(f, a) && activate(f, a, true),
  its_irq_domain_deactivate: (f, a) => lpi(f, a) && activate(f, a, false),
  its_irq_domain_alloc: (f, a) => {
    itsAllocates(f);
    return allocate(f, a, false);
  },
  its_irq_domain_free: (f, a) => allocate(f, a, true),
  its_mask_irq: (f, a) => lpi(f, a) && maskOf(f, a, true),
  its_unmask_irq: (f, a) => lpi(f, a) && maskOf(f, a, false),
  its_irq_compose_msi_msg: lpi,
  iommu_dma_prepare_msi: doorbell,
  // Since Linux 6.15 it calls one of these: that of the kernel's own drivers, or of iommufd (drivers/iommu/dma-iommu.c, iommufd/driver.c).
  iommu_dma_sw_msi: doorbell,
  iommufd_sw_msi: doorbell,
  vfio_pci_set_irqs_ioctl: (f, a) => {
    const flags = first(a, 'flags');
    const index = first(a, 'index');
    if (flags === undefined || index === undefined) return false;
    const fd = first(a, 'fd', 'eventfd', 'fd0', 'data0');
    const count = first(a, 'count')?.lo ?? 0;
    const device = ['dev', 'device', 'bdf', 'name'].map((name) => a.texts.get(name)).find((text) => text !== undefined);
    const object = first(a, 'vdev', 'core_device');
    beginSetIrqs(f, device, object && hex64(object.hi, object.lo), {
      flags: flags.lo,
      index: index.lo,
      start: first(a, 'start')?.lo ?? 0,
      count,
      data: fd !== undefined && count === 1 ? [fd.lo | 0] : undefined,
    });
    return true;
  },
  irqfd_wakeup: (f) => {
    f.emit(irqfdWakeup.put(), f.object(`${VM}/irqfd`));
    return true;
  },
  kvm_irqfd: (f, a) => {
    beginIrqfd(f, tellIrqfd(f, first(a, 'fd')?.lo, first(a, 'gsi')?.lo, first(a, 'flags')?.lo));
    return true;
  },
});

/** What the returns of functions mean; false when the value was not fetched. */
const returns: typeof functions = byName({
  vfio_pci_set_irqs_ioctl: (f, a) => {
    const ret = first(a, 'ret', 'retval', 'rc', 'arg1');
    return ret !== undefined && endSetIrqs(f, ret.lo | 0);
  },
  kvm_irqfd: (f, a) => {
    const ret = first(a, 'ret', 'retval', 'rc', 'arg1');
    return ret !== undefined && endIrqfd(f, ret.lo | 0);
  },
  iommu_dma_prepare_msi: (f, _args, caller) => prepared(f, caller),
});

/** The doorbell of the MSI controller, which the IOMMU is to map for a device. */
function doorbell(f: Ftrace, a: Args): boolean {
  return prepares(f, first(a, 'doorbell', 'msi_addr', 'addr'));
}

function writeMessage(f: Ftrace, a: Args): boolean {
  const number = first(a, 'irq', 'virq');
  const lo = first(a, 'lo', 'address_lo', 'addr_lo', 'address', 'addr');
  const data = first(a, 'data', 'msg_data');
  if (number === undefined || lo === undefined || data === undefined) return false;
  const place = placeOf(first(a, 'hwirq', 'index', 'msi_index'));
  const event = msgWrite
    .put()
    .address(lo.lo, first(a, 'hi', 'address_hi', 'addr_hi')?.lo ?? lo.hi)
    .data(data.lo);
  if (place) event.hwirq(place.index);
  identified(f, number.lo, place, event);
  return true;
}

/** PCI segments that a device path can have. */
const SEGMENTS = 65536;

/**
 * What a hwirq of a PCI/MSI domain says. Domains of one device (since Linux 6.2) use the table index alone. Kernels before have one
 * domain for all devices: see `pciMsiHwirq`.
 */
function placeOf(
  hwirq: { readonly lo: number; readonly hi: number } | undefined,
): { readonly index: number; readonly device: string | undefined } | undefined {
  if (hwirq === undefined) return undefined;
  if (hwirq.hi === 0 && hwirq.lo < MSIX_ENTRIES) return { index: hwirq.lo, device: undefined };
  const [segment] = pciMsiFunction(hwirq.lo, hwirq.hi);
  if (segment >= SEGMENTS || pciMsiHwirq.f.reserved59.of(hwirq.hi) !== 0) return undefined;
  return functionOfHwirq(hwirq.lo, hwirq.hi);
}

/** Emits an event of an irq; before it the function of the irq, where the hwirq of the event tells one that the state does not know. */
function identified(f: Ftrace, number: number, place: ReturnType<typeof placeOf>, event: Written): void {
  const object = irqObject(f, number);
  if (place?.device !== undefined) {
    const device = f.intern(place.device);
    // The words of an event belong to its kind: another one may be written before it is emitted.
    if (f.out.state.num(object, irq.at.device) !== device)
      f.emit(irqIdentify.put().device(device).hwirq(place.index), object);
  }
  f.emit(event, object);
}

/** The chip of a PCI/MSI domain masked or unmasked an irq: its hwirq is a place in a table. */
function mask(f: Ftrace, a: Args, masked: boolean): boolean {
  return maskOf(f, a, masked, placeOf(first(a, 'hwirq', 'index', 'msi_index')));
}

function maskOf(f: Ftrace, a: Args, masked: boolean, place?: ReturnType<typeof placeOf>): boolean {
  const number = first(a, 'irq', 'virq');
  if (number === undefined) return false;
  const event = irqMask.put().masked(masked);
  if (place) event.hwirq(place.index);
  identified(f, number.lo, place, event);
  return true;
}

function lpi(f: Ftrace, a: Args): boolean {
  const number = first(a, 'irq', 'virq');
  const intid = first(a, 'lpi', 'hwirq');
  if (number === undefined || intid === undefined) return false;
  f.emit(irqIdentify.put().lpi(intid.lo), irqObject(f, number.lo));
  return true;
}

/**
 * The GIC handed an interrupt to the irq core, which runs the handler of its irq on this CPU or none (gic_handle_irq, drivers/irqchip/irq-gic-v3.c).
 * INTIDs of LPIs are numbers of no other domain. The record itself stays a note.
 */
function hand(f: Ftrace, a: Args): boolean {
  const { lo, hi } = first(a, 'hwirq') ?? { lo: -1, hi: 0 };
  if (lo >= FIRST_LPI && hi === 0) f.handed.set(f.out.cpu, lo);
  else f.handed.delete(f.out.cpu);
  return false;
}

function activate(f: Ftrace, a: Args, on: boolean): boolean {
  f.emit(domActivate.put().domain(f.intern('ITS')).activate(on), irqObject(f, first(a, 'irq', 'virq')!.lo));
  return true;
}

/** `nr` irqs from `virq` on. */
function allocate(f: Ftrace, a: Args, free: boolean): boolean {
  const number = first(a, 'virq', 'irq');
  if (number === undefined) return false;
  const count = Math.min(first(a, 'nr', 'nr_irqs')?.lo ?? 1, 2048);
  for (let i = 0; i < count; i++)
    f.emit(domAlloc.put().domain(f.intern('ITS')).free(free), irqObject(f, number.lo + i));
  return true;
}

function affinity(f: Ftrace, a: Args): boolean {
  const number = first(a, 'irq', 'virq');
  if (number === undefined) return false;
  const intid = first(a, 'lpi', 'hwirq');
  const cpus = first(a, 'mask', 'cpumask');
  const event = irqAffinity.put();
  if (intid) event.lpi(intid.lo);
  if (cpus) event.mask(f.intern(hex64(cpus.hi, cpus.lo)));
  f.emit(event, irqObject(f, number.lo));
  return true;
}

/** Digits of an address of the kernel that is printed without a symbol, at least: `(ffffffff82593654)`. */
const ADDRESS_DIGITS = 8;

/** Whether bytes are an address in hexadecimal digits. */
function isAddress(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start < ADDRESS_DIGITS) return false;
  for (let at = start; at < end; at++) if (hexDigit(buf[at]!) < 0) return false;
  return true;
}

/**
 * Whether a payload is that of a probe: `(symbol+0x0/0x0 …)`, `(callee <- caller)` or, of a probe at an event, `(system.event)` first; or the
 * address alone, where the one that prints it has no symbols (trace-cmd without /proc/kallsyms).
 */
export function isProbe(buf: Uint8Array, start: number, end: number): boolean {
  if (buf[start] !== PAREN_OPEN) return false;
  const close = buf.indexOf(PAREN_CLOSE, start);
  if (close > 0 && close < end && isAddress(buf, start + 1, close)) return true;
  let dots = 0;
  for (let at = start + 1; at < Math.min(end, start + 200); at++) {
    if (buf[at] === PAREN_CLOSE) return dots === 1 && at > start + 3;
    if (buf[at] === DOT) dots++;
    else if (!isNameByte(buf[at]!)) dots = 2;
    if (buf[at] === 43 && buf[at + 1] === 48 && buf[at + 2] === 120) return true;
    if (buf[at] === 60 && buf[at + 1] === MINUS) return true;
  }
  return false;
}

const ADDRESS = /^[\da-f]{8,16}$/;

/** Short names that people give to probes, and the functions that they mean. */
const SHORT: Readonly<Record<string, string>> = byName({
  msiwrite: '__pci_write_msi_msg',
  irqfd_assign: 'kvm_irqfd',
  vfio_set_irqs_ioctl: 'vfio_pci_set_irqs_ioctl',
});

/** The function that a probe of this name is set at, where nothing else tells it. */
export const functionNamed = (probe: string): string => SHORT[probe] ?? probe;

/** Turns a probe record into an event: into what it means when its function is known, into a note of it otherwise. */
export function takeProbe(f: Ftrace, nameStart: number, nameEnd: number, start: number, end: number): void {
  const { buf } = f;
  let at = start + 1;
  while (at < end && buf[at] !== PAREN_CLOSE && buf[at] !== SPACE && buf[at] !== 43) at++;
  const symbol = textOf(buf, start + 1, at);
  /** Where the function stands that returned: behind `<-`. */
  let returned = -1;
  while (at < end && buf[at] !== PAREN_CLOSE) {
    if (buf[at] === 60 && buf[at + 1] === MINUS) returned = at + 2;
    at++;
  }
  const told = returned < 0 ? symbol : /^ *(\w*)/.exec(textOf(buf, returned, at))![1]!;
  // Without symbols the name of the probe is all that tells the function: people name it after that.
  const called = ADDRESS.test(told) ? functionNamed(textOf(buf, nameStart, nameEnd)) : told;
  if (useProbe(f, called, returned < 0 ? undefined : symbol, argumentsOf(buf, at + 1, end))) return;
  const { strings } = f.out.world;
  noteProbe(
    f,
    strings.internBytes(buf, nameStart, nameEnd),
    strings.internBytes(buf, start, Math.min(end, start + MOST_NOTED)),
  );
}

/** Bytes of a probe's record that a note of it keeps. */
export const MOST_NOTED = 300;

/**
 * What a probe at a function, or at its return, means by its arguments; false when nothing is known of it. `caller`: at a return, the
 * function that is returned to, or the empty text where that is not known; undefined for a probe at the function.
 */
export function useProbe(f: Ftrace, called: string, caller: string | undefined, args: Args): boolean {
  const meanings = caller === undefined ? functions : returns;
  return meanings[called]?.(f, args, caller ?? '') === true;
}

/** Keeps the record of a probe of which nothing is known: its name and what it printed, by their text numbers. */
export function noteProbe(f: Ftrace, name: number, text: number): void {
  f.emit(probe.put().name(name).text(text), f.object('probe'));
}

function argumentsOf(buf: Uint8Array, start: number, end: number): Args {
  const numbers = new Map<string, { lo: number; hi: number }>();
  const texts = new Map<string, string>();
  let at = start;
  while (at < end) {
    while (at < end && (buf[at] === SPACE || buf[at] === COLON)) at++;
    const nameStart = at;
    while (at < end && isNameByte(buf[at]!)) at++;
    const nameEnd = at;
    if (buf[at] === EQUALS && scanner.on(buf, at + 1, end).number()) {
      numbers.set(textOf(buf, nameStart, nameEnd), { lo: scanner.lo, hi: scanner.hi });
      at = scanner.pos;
    } else if (buf[at] === EQUALS && buf[at + 1] === QUOTE) {
      const close = buf.indexOf(QUOTE, at + 2);
      const stop = close < 0 || close > end ? end : close;
      texts.set(textOf(buf, nameStart, nameEnd), textOf(buf, at + 2, stop));
      at = stop;
    }
    while (at < end && buf[at] !== SPACE) at++;
  }
  return { numbers, texts };
}
