import { tblRead } from '../../model/events/msix.ts';
import { barMap, cfgRead, devSeen } from '../../model/events/pci.ts';
import { layoutLint } from '../../model/events/vfio.ts';
import {
  CAPABILITY,
  capabilityHead,
  expCapabilities,
  msiControl,
  msixControl,
  msixVectorControl,
  pciCommand,
} from '../../model/registers/pci.ts';
import type { Bars } from './bars.ts';
import type { FunctionSpec } from './function-spec.ts';
import { MSI_MASK, MSI_PENDING } from './msi-messages.ts';
import { COMMAND, EXP_AT, EXP_CAPABILITIES, MASKABLE_MSI_AT, MSI_AT, MSIX_AT } from './offsets.ts';
import type { PciFunction } from './pci-function.ts';
import { lintLayout, type RegionMap } from './regions.ts';

/** What lies in the BAR of a function: its vector table and its pending bits, 64 of them in 8 bytes. */
const msixLayout = ({ barSize, vectors, tableOffset, pbaOffset }: FunctionSpec): RegionMap => ({
  size: barSize,
  registers: [
    { name: 'MSI-X table', offset: tableOffset, size: vectors * 16, latency: 'init', kind: 'vectors' },
    { name: 'MSI-X PBA', offset: pbaOffset, size: Math.ceil(vectors / 64) * 8, latency: 'init', kind: 'pending' },
  ],
});

/** PCI Express Capabilities of an endpoint: version 2. */
const EXP_ENDPOINT = 2;

/**
 * Lets the trace show the function as firmware left it: capabilities read, BAR mapped, MSI-X off, command as given. A BAR that
 * another one of its bus is in the way of is not mapped, and memory decode stays off.
 */
export function announce(fn: PciFunction, spec: FunctionSpec, command: number, bars?: Bars): void {
  const { machine, object } = fn;
  machine.emit(devSeen, object, { name: spec.name });
  const read = (offset: number, size: number, value: number): void =>
    machine.emit(cfgRead, object, { offset, size, value });
  const { bar, barAddress: address, barSize } = spec;
  const range = { bdf: fn.bdf, bar, address, size: barSize };
  if (bars?.claim(machine, object, range) === false) fn.unclaimed = range;
  read(COMMAND, 2, fn.unclaimed ? command & ~pciCommand.f.memory.mask : command);
  if (!fn.unclaimed) machine.emit(barMap, object, { bar, address, size: barSize });
  const { vectors, msi, msiMask = false, flr = false } = spec;
  const last = flr ? EXP_AT : 0;
  const msiAt = msiMask ? MASKABLE_MSI_AT : MSI_AT;
  if (vectors > 0 || msi) read(0x34, 1, msi ? msiAt : MSIX_AT);
  const { address64, maskable, multipleCapable } = msiControl.f;
  const control = address64.mask | (msiMask ? maskable.mask : 0) | multipleCapable.put(Math.log2(spec.msiVectors ?? 1));
  if (msi) read(msiAt, 4, capabilityHead(CAPABILITY.msi, vectors === 0 ? last : MSIX_AT, control));
  // Nothing is masked and nothing pending after a reset.
  const bits = msi && msiMask ? [MSI_MASK, MSI_PENDING] : [];
  for (const at of bits) machine.emit(cfgRead, object, { offset: msiAt + at, size: 4, value: 0 });
  if (flr) {
    read(EXP_AT, 4, capabilityHead(CAPABILITY.exp, 0, EXP_ENDPOINT));
    read(EXP_AT + EXP_CAPABILITIES, 4, expCapabilities.f.flr.mask);
  }
  if (vectors === 0) return;
  // Message Control: size minus one, disabled.
  read(MSIX_AT, 4, capabilityHead(CAPABILITY.msix, last, msixControl.f.size.put(vectors - 1)));
  read(MSIX_AT + 4, 4, (spec.tableOffset | spec.bar) >>> 0);
  read(MSIX_AT + 8, 4, (spec.pbaOffset | spec.bar) >>> 0);
  for (const { rule, text } of lintLayout(msixLayout(spec))) machine.emit(layoutLint, object, { rule, text });
  // After reset every entry is masked (Vector Control reset value 1); address and data are undefined.
  for (let i = 0; i < spec.vectors && i < 64; i++)
    machine.emit(tblRead, fn.entry(i), { offset: 12, size: 4, value: msixVectorControl.f.mask.mask });
}
