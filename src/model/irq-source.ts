// Which entry of which function an irq is for, as the name of its domain and its hwirq tell. What a hwirq counts is a matter of the
// domain, and the two eras of Linux differ: see `pciMsiHwirq`.

import type { ObjectId } from '../base/ids.ts';
import { bdfText } from './bdf.ts';
import { pciMsiFunction, pciMsiHwirq } from './registers/hwirq.ts';
import { MSI_VECTORS, MSIX_ENTRIES } from './registers/pci.ts';
import type { State } from './state.ts';
import { irq } from './things/irq.ts';

/** The object of the descriptor of an irq, or -1. */
export const descriptorOf = (state: State, object: ObjectId): ObjectId =>
  state.world.node(object)?.children.get('descriptor')?.object ?? -1;

/** Where messages of a function are stored: MSI-X table, MSI capability, IMS; `either` of the first two. */
export type MessageTable = 'msix' | 'msi' | 'ims' | 'either';

/** Where an irq comes from. */
export interface IrqSource {
  /** BDF with segment, or the name that the trace gives to the function. */
  readonly device: string;
  /** Entry of the table, or number within a multi-MSI block. */
  readonly index: number;
  /** undefined: the domain is of another kind. */
  readonly table: MessageTable | undefined;
}

/** What the name of an irq domain tells. */
interface DomainName {
  /** It serves all functions: a hwirq holds the function. */
  readonly shared: boolean;
  /** The one function that it serves; the empty text where the name does not tell it. */
  readonly device: string;
  readonly table: MessageTable | undefined;
}

/**
 * Domains of one function (since Linux 6.2) end with its BDF: `IR-PCI-MSIX-0000:00:03.0`, `ITS-PCI-MSI-0000:00:09.0`. debugfs puts
 * the number of the bus token behind it: `IR-PCI-MSIX-0000:41:00.0-12`.
 */
const OF_ONE = /^(.*)-([0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7])(?:-\d+)?$/i;

/**
 * Domains of all functions: `PCI-MSI`, `IR-PCI-MSI`, `ITS-MSI` and `Hyper-V PCIe MSI` by the names of their chips, `INTEL-IR-MSI-1` and
 * `AMD-IR-MSI-0` by those of the domains (arch/x86/kernel/apic/msi.c, drivers/iommu/intel/irq_remapping.c,
 * drivers/irqchip/irq-gic-v3-its-pci-msi.c, drivers/pci/controller/pci-hyperv.c of Linux 6.1); debugfs puts the number of the bus
 * token behind them, too.
 */
const SHARED = /^(?:(?:IR-|HV-)?PCI-MSI|(?:INTEL|AMD)-IR-MSI|ITS-(?:PCI-)?MSI|Hyper-V PCIe MSI)(?:-\d+)*$/;

const MSIX = /msi-?x/i;
/** IDXD is an out-of-tree user of IMS. */
const IMS = /IMS|PCI-IDXD/;
const MSI = /PCI-MSI$/i;

const tableOf = (name: string): MessageTable | undefined =>
  MSIX.test(name) ? 'msix' : IMS.test(name) ? 'ims' : MSI.test(name) ? 'msi' : undefined;

function readDomain(name: string): DomainName {
  if (name === '') return { shared: false, device: '', table: 'either' };
  if (SHARED.test(name)) return { shared: true, device: '', table: 'either' };
  const [, kind = name, device = ''] = OF_ONE.exec(name) ?? [];
  return { shared: false, device: device.toLowerCase(), table: tableOf(kind) };
}

/** Domains that stand below those of functions: a walk of the hierarchy tells hwirqs of them, too. */
const PARENT = /^(?:VECTOR|(?:INTEL|AMD)-IR|ITS|GICv\dm?|GIC)(?:-\d+)*$/;

/** Whether a hwirq of a domain is that of the innermost one of an irq. */
export function isInnermost(state: State, object: ObjectId, domain: string): boolean {
  const innermost = state.text(object, irq.at.domain);
  return innermost === '' ? !PARENT.test(domain) : innermost === domain;
}

/** The names of domains that were read, as the same few come with every event. */
const known = new Map<string, DomainName>();
const MOST_KNOWN = 4096;

function domainName(name: string): DomainName {
  const found = known.get(name);
  if (found !== undefined) return found;
  const read = readDomain(name);
  if (known.size < MOST_KNOWN) known.set(name, read);
  return read;
}

/** The function and the index that a hwirq of a domain of all functions holds, in 64 bits. */
export function functionOfHwirq(lo: number, hi = 0): { readonly device: string; readonly index: number } {
  return { device: bdfText(...pciMsiFunction(lo, hi)), index: pciMsiHwirq.f.index.of(lo) };
}

/**
 * What the name of the domain of an irq tells; where only its chip is known, that of the chip where it is the same name: chips of
 * domains of one function are named like these.
 */
function domainOf(state: State, object: ObjectId): DomainName {
  const domain = state.text(object, irq.at.domain);
  if (domain !== '') return domainName(domain);
  const chip = state.text(object, irq.at.chip);
  return domainName(OF_ONE.test(chip) ? chip : '');
}

/** The function that the domain of an irq and its hwirq name; the empty text where they do not. */
export function functionOfDomain(state: State, object: ObjectId): string {
  const { shared, device } = domainOf(state, object);
  const hwirq = state.num(object, irq.at.hwirq);
  if (!shared || hwirq < 0) return device;
  // Snapshots and probes tell the function and the index, which may be that small, apart.
  return hwirq < MSIX_ENTRIES && state.text(object, irq.at.device) !== '' ? '' : functionOfHwirq(hwirq).device;
}

/** Whether an irq has the hwirq of a domain of all functions that holds a function and an index. */
export function holdsEntry(state: State, object: ObjectId, device: string, index: number): boolean {
  const hwirq = state.num(object, irq.at.hwirq);
  if (hwirq < MSIX_ENTRIES) return false;
  const held = functionOfHwirq(hwirq);
  return held.device === device && held.index === index;
}

/**
 * The function and the entry that an irq comes from; undefined where the trace does not tell, or tells two things. A number that no
 * table has as an index is one of a domain of all functions, also where the domain is not known, if it names the same function.
 */
export function sourceOfIrq(state: State, object: ObjectId): IrqSource | undefined {
  const hwirq = state.num(object, irq.at.hwirq);
  if (hwirq < 0) return undefined;
  const told = state.text(object, irq.at.device);
  const domain = domainOf(state, object);
  const composed = domain.shared || hwirq >= MSIX_ENTRIES;
  // IMS has no limit of its own.
  if (composed && domain.table !== 'ims') {
    const named = functionOfHwirq(hwirq);
    const agrees = told === named.device || (told === '' && domain.shared);
    // No MSI capability has as many vectors.
    const table = domain.table === 'either' && named.index >= MSI_VECTORS ? 'msix' : domain.table;
    if (agrees) return { ...named, table };
    // Where the function is told apart, a number that small is the index.
    if (told === '' || hwirq >= MSIX_ENTRIES) return undefined;
  }
  if (told !== '' && domain.device !== '' && told !== domain.device) return undefined;
  const device = told === '' ? domain.device : told;
  return device === '' ? undefined : { device, index: hwirq, table: domain.table };
}
