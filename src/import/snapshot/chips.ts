/**
 * What the name of an irq chip and a hwirq tell of the function that raises an irq. Source of the names: drivers/pci/msi/irqdomain.c
 * and the prefixes of the parent domains (kernel/irq/msi.c msi_create_device_irq_domain, arch and irqchip drivers).
 */
import { bdfText } from '../../model/bdf.ts';
import { pciMsiFunction, pciMsiHwirq } from '../../model/registers/hwirq.ts';

/** The function that raises an irq, and its number there: the index of a table entry, or of a vector of multi-MSI. */
export interface ChipPlace {
  readonly device: string | undefined;
  readonly index: number | undefined;
}

/** Domains of one function, since Linux 6.2: `IR-PCI-MSIX-0000:00:03.0`. The hwirq is the index. */
const OF_FUNCTION = /PCI-(?:MSIX?|IDXD|IMS)-([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i;
/** Domains of all functions, before Linux 6.2: the hwirq holds the function and the index. */
const OF_ALL = /^(?:IR-|ITS-|HV-|MBI-|GICv2m-)?(?:PCI-)?MSI$|^GICv2m-PCI-MSI$|^ITS-PCI-MSI$/;
const SEGMENTS = 0x10000;
const TWO32 = 2n ** 32n;

/** What chip and hwirq (decimal or hexadecimal with 0x) tell. A hwirq that does not fit 32 bits and is no such number tells nothing. */
export function placeOfChip(chip: string, hwirq: string | undefined): ChipPlace {
  const device = OF_FUNCTION.exec(chip)?.[1]?.toLowerCase();
  if (hwirq === undefined) return { device, index: undefined };
  const whole = BigInt(hwirq);
  const [lo, hi] = [Number(whole % TWO32), Number(whole / TWO32)];
  if (device === undefined && OF_ALL.test(chip) && whole >= SHARED) {
    const [segment, ...place] = pciMsiFunction(lo, hi);
    if (segment < SEGMENTS && pciMsiHwirq.f.reserved59.of(hi) === 0)
      return { device: bdfText(segment, ...place), index: pciMsiHwirq.f.index.of(lo) };
  }
  return { device, index: hi === 0 ? lo : undefined };
}

/** The smallest hwirq of a shared domain that names a function other than 0000:00:00.0, which is the host bridge and raises none. */
const SHARED = 0x800n;
