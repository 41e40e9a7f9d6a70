/** The events that are known of the kernel's ring buffer, whether they come as text or as fields. */
import { RuleSet } from '../rules.ts';
import { avicRules } from './avic.ts';
import { consoleRules } from './console.ts';
import type { Ftrace } from './context.ts';
import { iommuRules } from './iommu.ts';
import { irqRules } from './irq.ts';
import { SILENT } from './known.ts';
import { withRaw } from './raw.ts';
import { schedRules } from './sched.ts';
import { softirqRules } from './softirq.ts';
import { virtRules } from './virt.ts';

export const events = new RuleSet<Ftrace>(
  [...irqRules, ...withRaw(virtRules), ...avicRules, ...iommuRules, ...schedRules, ...softirqRules, ...consoleRules],
  SILENT,
);
