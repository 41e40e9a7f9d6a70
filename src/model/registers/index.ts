import type { Register } from '../register.ts';
import * as amd from './amd.ts';
import * as hwirq from './hwirq.ts';
import * as ims from './ims.ts';
import * as its from './its.ts';
import * as pci from './pci.ts';
import * as extended from './pci-extended.ts';
import * as posted from './posted.ts';
import * as riscv from './riscv.ts';
import * as vtd from './vtd.ts';
import * as x86 from './x86.ts';

function isRegister(value: unknown): value is Register {
  return typeof value === 'object' && value !== null && 'width' in value && 'fields' in value;
}

/** Every register and table entry that is described as data, for documentation and tests. */
export const allRegisters: readonly Register[] = [
  ...[pci, extended, x86, vtd, amd, posted, ims, its, hwirq, riscv]
    .flatMap((room): unknown[] => Object.values(room))
    .filter(isRegister),
  ...its.itsCommands.flatMap((command) => command.dwords),
];
