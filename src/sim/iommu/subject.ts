import type { Subject } from '../subject.ts';
import { installBootTimer } from './boot-timer.ts';
import { installPosted } from './posted-interrupts.ts';
import { postedOperations } from './posted-operations.ts';
import { installRemap } from './remap-domain.ts';
import { remapOperations } from './remap-operations.ts';

/** Remapping units of x86 hosts, and posted interrupts. */
export const iommuSubject: Subject = {
  operations: [...remapOperations, ...postedOperations],
  install: { remapping: installRemap, functions: installBootTimer, posting: installPosted },
};
