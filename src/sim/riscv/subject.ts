import type { Subject } from '../subject.ts';
import { aplicOperations, imsicOperations } from './operations.ts';
import { installRiscvHost } from './riscv-host.ts';

/** Interrupt files and the APLIC of RISC-V hosts. */
export const riscvSubject: Subject = {
  operations: [...imsicOperations, ...aplicOperations],
  install: { architecture: installRiscvHost },
};
