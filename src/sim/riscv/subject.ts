import type { Subject } from '../subject.ts';
import { imsicOperations } from './operations.ts';
import { installRiscvHost } from './riscv-host.ts';

/** Interrupt files of RISC-V hosts. */
export const riscvSubject: Subject = {
  operations: imsicOperations,
  install: { architecture: installRiscvHost },
};
