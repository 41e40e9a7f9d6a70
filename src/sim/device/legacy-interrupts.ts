import { pciCommand } from '../../model/registers/pci.ts';
import { device } from '../../model/things/pci.ts';
import { COMMAND } from './offsets.ts';
import type { PciFunction } from './pci-function.ts';

const { intxDisable } = pciCommand.f;

/**
 * pci_intx_for_msi() of drivers/pci/msi/msi.c: the kernel forbids the INTx pin of a function while messages are on, and allows it
 * again behind that. It writes Command only where that changes the bit, and leaves functions alone whose messages stop with it.
 */
export function allowIntx(fn: PciFunction, allowed: boolean): void {
  const command = commandFor(fn, allowed);
  if (command !== undefined) fn.configWrite(COMMAND, 2, command);
}

/** What the kernel writes to Command for that; undefined: nothing. */
export function commandFor(fn: PciFunction, allowed: boolean): number | undefined {
  const { state } = fn.machine;
  if (fn.keepsPin || intxDisable.flag(state, fn.object, device.at.command) !== allowed) return undefined;
  return intxDisable.insert(state.get(fn.object, device.at.command), allowed ? 0 : 1);
}
