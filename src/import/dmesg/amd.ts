// Events of AMD units, as drivers/iommu/amd (init.c, iommu.c) prints them.
import { irFault } from '../../model/events/remap.ts';
import { X86_BASE } from '../../model/registers/x86.ts';
import type { KernelLog, Requester } from './log.ts';

/** Flags of an event (AMD IOMMU 2.5): it was an interrupt; its entry is remapped; reserved bits were set. */
const EVENT = { interrupt: 0x8, present: 0x10, reserved: 0x80 };

/** What the flags of an event of an AMD unit say of an interrupt, in the words of the specification. */
function amdReason(event: string, flags: number): string {
  if (event !== 'IO_PAGE_FAULT') return `${event}: invalid interrupt request`;
  if ((flags & EVENT.reserved) !== 0) return `${event}: reserved bits are set`;
  return (flags & EVENT.present) === 0 ? `${event}: the entry is not present (RemapEn 0)` : `${event}: invalid entry`;
}

/** The windows in which an AMD unit takes writes for interrupts, by their upper bits: of HyperTransport (16 MiB at 0xfdf8000000), of x86. */
const AMD_WINDOWS = [
  { shift: 24n, base: 0xfdf8n },
  { shift: 20n, base: BigInt(X86_BASE) },
] as const;
/** Bits of an address that HyperTransport has; those above may be copies of the highest. */
const HT_BITS = 40;

const isAmdInterrupt = (address: string): boolean => {
  const at = BigInt.asUintN(HT_BITS, BigInt(`0x${address}`));
  return AMD_WINDOWS.some(({ shift, base }) => at >> shift === base);
};

/**
 * The unit of QEMU sets the interrupt flag for pages that are not mapped, too (amdvi_page_fault, hw/i386/amd_iommu.c): an address outside the
 * windows for interrupts is that of an access of memory.
 */
export function amdEvent(
  log: KernelLog,
  event: string,
  from: Requester | undefined,
  path: string,
  { address, flags }: { readonly address: string | undefined; readonly flags: number },
): true {
  const { c } = log;
  const memory = event === 'IO_PAGE_FAULT' && address !== undefined && !isAmdInterrupt(address);
  if ((flags & EVENT.interrupt) === 0 || memory) return log.refuse(path, `${event}: an access of a device was refused`);
  const fault = irFault.put().text(c.intern(amdReason(event, flags)));
  if (from !== undefined) fault.sid(from.sid);
  if (from?.segment !== undefined) fault.segment(from.segment);
  c.emit(fault, c.object(path));
  return true;
}
