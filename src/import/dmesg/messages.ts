/** The messages of the kernel that tell of interrupts, each tried in its order on the text of a line. */
import { cpuFacts, cpuRefusals } from './cpu.ts';
import { deviceFacts, deviceRefusals } from './devices.ts';
import { faults, iommuFacts, iommuRefusals } from './iommu.ts';
import type { KernelLog, Say } from './log.ts';

/** What a line of a message has somewhere, in any case: a form, and bytes that stand in all texts of that form. */
export const LIKELY_FORMS: readonly (readonly [form: string, bytes: string])[] = [
  ['irq', 'irq'],
  ['interrupt', 'rrup'],
  ['msi', 'msi'],
  ['vector', 'vect'],
  ['remap', 'emap'],
  ['dmar', 'dmar'],
  ['amd-vi', 'amd-'],
  ['smmu', 'smmu'],
  [String.raw`\bits[@: ]`, 'its'],
  ['gic', 'gic'],
  ['apic', 'apic'],
  ['nvme', 'nvme'],
  ['vfio', 'vfio'],
  ['xhc', 'xhc'],
  ['timeout', 'meou'],
  ['timed out', 'd ou'],
  ['recovered', 'cove'],
  ['iommu', 'iomm'],
  ['irte', 'irte'],
  ['invalidation', 'nval'],
  [String.raw`ata\d`, 'ata'],
  ['hv_', 'hv_'],
  ['idxd', 'idxd'],
  [String.raw`\bcpu ?\d`, 'cpu'],
  [String.raw`\bSN field`, 'sn f'],
  [String.raw`\] \[?<`, '<'],
  [String.raw`^\[<`, '<'],
  ['fault', 'faul'],
  ['avic', 'avic'],
  ['clashes', 'lash'],
  ['queue', 'ueue'],
  [String.raw`\bHC died`, 'hc d'],
  ['not responding', 'pond'],
  ['Host System', 't sy'],
  ['event', 'vent'],
  [String.raw`0x[\da-f]{16}$`, '0x'],
  ['rwp', 'rwp'],
];
const LIKELY = new RegExp(LIKELY_FORMS.map(([form]) => form).join('|'), 'i');

/** Whether a text may be a message: all others are none. */
export const isLikely = (text: string): boolean => LIKELY.test(text);

const REFUSALS: readonly Say[] = [...cpuRefusals, ...iommuRefusals, ...deviceRefusals];
const ALL: readonly Say[] = [...faults, ...REFUSALS, ...iommuFacts, ...cpuFacts, ...deviceFacts];

/** A message that a text is, with what its form captured. */
export interface Found {
  readonly say: Say;
  readonly captures: RegExpExecArray;
}

/** The message that a text is. `only`: those of which each word shows that it is no prose. */
export function messageIn(log: KernelLog, text: string, only: 'faults' | 'refusals' | 'all'): Found | undefined {
  if (!isLikely(text)) return undefined;
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
