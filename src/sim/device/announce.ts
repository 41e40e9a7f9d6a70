import { tblRead } from '../../model/events/msix.ts';
import { barMap, cfgRead, devSeen } from '../../model/events/pci.ts';
import { CAPABILITY, capabilityHead, msiControl, msixControl, msixVectorControl } from '../../model/registers/pci.ts';
import type { FunctionSpec } from './function-spec.ts';
import { COMMAND, MSI_AT, MSIX_AT, type PciFunction } from './pci-function.ts';

/** Lets the trace show the function as firmware left it: capabilities read, BAR mapped, MSI-X off, command as given. */
export function announce(fn: PciFunction, spec: FunctionSpec, command: number): void {
  const { machine, object } = fn;
  machine.emit(devSeen, object, { name: spec.name });
  const read = (offset: number, size: number, value: number): void =>
    machine.emit(cfgRead, object, { offset, size, value });
  read(COMMAND, 2, command);
  machine.emit(barMap, object, { bar: spec.bar, address: spec.barAddress, size: spec.barSize });
  const { vectors, msi } = spec;
  if (vectors > 0 || msi) read(0x34, 1, msi ? MSI_AT : MSIX_AT);
  const { address64, multipleCapable } = msiControl.f;
  const control = address64.mask | multipleCapable.put(Math.log2(spec.msiVectors ?? 1));
  if (msi) read(MSI_AT, 4, capabilityHead(CAPABILITY.msi, vectors === 0 ? 0 : MSIX_AT, control));
  if (vectors === 0) return;
  // Last of the list; Message Control: size minus one, disabled.
  read(MSIX_AT, 4, capabilityHead(CAPABILITY.msix, 0, msixControl.f.size.put(vectors - 1)));
  read(MSIX_AT + 4, 4, (spec.tableOffset | spec.bar) >>> 0);
  read(MSIX_AT + 8, 4, (spec.pbaOffset | spec.bar) >>> 0);
  // After reset every entry is masked (Vector Control reset value 1); address and data are undefined.
  for (let i = 0; i < spec.vectors && i < 64; i++)
    machine.emit(tblRead, fn.entry(i), { offset: 12, size: 4, value: msixVectorControl.f.mask.mask });
}
