import type { Setup } from '../setup.ts';
import type { Subject } from '../subject.ts';
import { avicOperations, installAvic } from './avic/install.ts';
import { installBootTimer } from './boot-timer.ts';
import { installIrqBypass } from './irq-bypass.ts';
import { installPosted } from './posted-interrupts.ts';
import { installPostedMsi } from './posted-msi.ts';
import { postedOperations } from './posted-operations.ts';
import { installRemap } from './remap-domain.ts';
import { remapOperations } from './remap-operations.ts';

function installPosting(setup: Setup): void {
  installPosted(setup);
  installAvic(setup);
  installPostedMsi(setup);
  installIrqBypass(setup);
}

/** Remapping units of x86 hosts, and posted interrupts. */
export const iommuSubject: Subject = {
  operations: [...remapOperations, ...postedOperations, ...avicOperations],
  install: { remapping: installRemap, functions: installBootTimer, posting: installPosting },
};
