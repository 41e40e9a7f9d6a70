/** The log of the kernel in its trace: printk:console of include/trace/events/printk.h prints what went to the console. */
import { message } from '../../model/events/notes.ts';
import { kernelFault } from '../kernel-lines.ts';
import { type FtraceRule, rule } from './context.ts';

/** Lines that tell of an interrupt, by what stands in them (kernel/irq, arch/x86, drivers/iommu, drivers/irqchip, drivers of devices). */
const TOLD: readonly RegExp[] = [
  // DMAR: [INTR-REMAP] Request device …, [DMA Write] …, VT-d detected Invalidation Time-out Error; AMD-Vi: Event logged …
  /\bINTR-REMAP\b|\bDMAR: (?:\[DMA|DRHD: handling fault|VT-d detected|QI |Invalidation)|\bAMD-Vi: Event logged|\bIRTE\b/,
  /\bNo irq handler for\b|\bnobody cared\b|\bDisabling IRQ #|\bSpurious interrupt\b/,
  /\bAffinity broken\b|\bset affinity failed\b|\bIRQ fixup\b|\bCannot disable CPU\b|\bno vector available\b/,
  /\bMoved interrupt pending\b|\bschedule cleanup for offline CPU\b|\bInterrupt reservation exceeds\b/,
  /\bITS queue (?:timeout|not draining)\b|\bITS cmd .* failed\b|\bTable too large, reduce ids\b/,
  /\barm-smmu-v3\b.*\bevent\b|\bNo interrupt remapping support\b|\birq bypass (?:producer|consumer)\b/,
  /\btimeout, completion polled\b|\blost interrupt\b|\bTimeout waiting for hardware interrupt\b|\bRecovered \d+ EQEs\b/,
  /\bPI descriptor SN field set\b/,
];

export const consoleRules: readonly FtraceRule[] = [
  rule('console', '{text:r}', (f, c, s) => {
    const fault = kernelFault(f.buf, c.start[s.text]!, c.end[s.text]!, f.out.world.strings);
    if (fault !== undefined) {
      f.emit(fault, f.object('log'));
      return undefined;
    }
    const text = f.text(s.text);
    if (!TOLD.some((pattern) => pattern.test(text))) return false;
    f.emit(message.put().text(f.str(s.text)), f.object('log'));
    return undefined;
  }),
];
