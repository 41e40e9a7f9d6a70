/** The messages of the kernel that tell of interrupts, each tried in its order on the text of a line. */
import { cpuFacts, cpuRefusals } from './cpu.ts';
import { deviceFacts, deviceRefusals } from './devices.ts';
import { faults, iommuFacts, iommuRefusals } from './iommu.ts';
import type { KernelLog, Say } from './log.ts';

/** What a line of a message has somewhere. */
const LIKELY =
  /irq|interrupt|msi|vector|remap|dmar|amd-vi|amd iommu|smmu|\bits[@: ]|gic|apic|nvme|vfio|xhci|xhc|timeout|timed out|recovered|iommu|irte|invalidation|ata\d|hv_|idxd|eventfd|\bcpu ?\d|\bSN field|\] \[?<|^\[<|fault|avic|clashes|queue|\bHC died|not responding|Host System|event|0x[\da-f]{16}$|rwp/i;

const REFUSALS: readonly Say[] = [...cpuRefusals, ...iommuRefusals, ...deviceRefusals];
const ALL: readonly Say[] = [...faults, ...REFUSALS, ...iommuFacts, ...cpuFacts, ...deviceFacts];

/** A message that a text is, with what its form captured. */
export interface Found {
  readonly say: Say;
  readonly captures: RegExpExecArray;
}

/** The message that a text is. `only`: those of which each word shows that it is no prose. */
export function messageIn(log: KernelLog, text: string, only: 'faults' | 'refusals' | 'all'): Found | undefined {
  if (!LIKELY.test(text)) return undefined;
  for (const say of only === 'faults' ? faults : only === 'refusals' ? WITHOUT_FACTS : ALL) {
    if (say.when !== undefined && !say.when(log)) continue;
    const captures = say.form.exec(text);
    if (captures !== null) return { say, captures };
  }
  return undefined;
}

const WITHOUT_FACTS: readonly Say[] = [...faults, ...REFUSALS];

/** Makes the events of a message; false when it became none. `plain`: its text without the head of the line; `said`: as events keep it. */
export function takeMessage(log: KernelLog, { say, captures }: Found, plain: string, said: string): boolean {
  log.said = said;
  log.plain = plain;
  return say.take(log, captures);
}
