/** The events of QEMU that are known: those that mean something, and names of those that are without effect. */
import { RuleSet } from '../rules.ts';
import { apicRules } from './apic.ts';
import type { Qemu } from './context.ts';
import { gicRules } from './gic.ts';
import { itsRules } from './its.ts';
import { KNOWN_WITHOUT_EFFECT } from './known.ts';
import { memoryRules } from './memory.ts';
import { modelRules } from './models.ts';
import { pciRules } from './pci.ts';
import { remapRules } from './remap.ts';
import { smmuRules } from './smmu.ts';
import { vfioConfigRules } from './vfioconfig.ts';
import { virtRules } from './virt.ts';

export const events = new RuleSet<Qemu>(
  [
    ...pciRules,
    ...vfioConfigRules,
    ...memoryRules,
    ...modelRules,
    ...remapRules,
    ...gicRules,
    ...itsRules,
    ...smmuRules,
    ...virtRules,
    ...apicRules,
  ],
  KNOWN_WITHOUT_EFFECT,
);
