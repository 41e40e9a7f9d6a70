import type { ObjectId } from '../../base/ids.ts';
import { untold } from '../../model/events/outcome.ts';
import { effectivelyMasked } from '../../model/masking.ts';
import { msixControl, msixControlBits, pciCommand } from '../../model/registers/pci.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import { PciFunction, type Served } from './pci-function.ts';

const ALL = 0xffffffff;

/**
 * A function of which only a trace is known: where its answer depends on what the trace did not show, an `untold` event
 * says what would have to be known, instead of a value.
 */
export class KnownFunction extends PciFunction {
  #untold(object: ObjectId, what: string, cause = 0): void {
    const { machine } = this;
    machine.emit(untold, object, cause === 0 ? { what } : { what, cause });
    machine.ledger.note(cause, 'untold', machine.now);
  }

  override control(enable: boolean, fmask: boolean): void {
    const at = this.machine.state.num(this.object, device.at.msixAt);
    const { size } = this;
    if (at < 0 || size < 0) this.#untold(this.object, 'where the MSI-X capability lies and how large its table is');
    else this.configWrite(at + 2, 2, msixControl.f.size.put(size - 1) | msixControlBits(enable, fmask));
  }

  override table(
    index: number,
    offset: number,
    size: number,
    value: readonly number[] | undefined,
    served?: Served,
  ): number[] | undefined {
    const { state } = this.machine;
    const entry = this.entry(index);
    if (value === undefined) {
      const words = Array.from({ length: Math.ceil(size / 4) }, (_, i) => msixEntry.at.address + (offset >>> 2) + i);
      if (words.some((cell) => state.known(entry, cell) !== ALL)) {
        this.#untold(entry, 'what the entry holds');
        return words.map(() => ALL);
      }
      return super.table(index, offset, size, value, served);
    }
    const unmasked = effectivelyMasked(state, entry) === false;
    const waits = state.flag(entry, msixEntry.at.pending);
    super.table(index, offset, size, value, served);
    if (!unmasked && waits === undefined && effectivelyMasked(state, entry) === false)
      this.#untold(entry, 'whether a cause waits: the pending bit before the mask was cleared');
    return undefined;
  }

  override readPba(first: number, size: number, served?: Served): number[] {
    const { state, world } = this.machine;
    const count = Math.min(size * 8, this.size < 0 ? size * 8 : this.size - first);
    const entries = world.node(this.object)?.children.get('msix')?.children;
    for (let i = 0; i < count; i++) {
      const object = entries?.get(String(first + i))?.object ?? -1;
      if (object >= 0 && state.flag(object, msixEntry.at.pending) !== undefined) continue;
      this.#untold(this.object, `the pending bit of vector ${first + i}`);
      return Array.from({ length: Math.ceil(size / 4) }, () => ALL);
    }
    return super.readPba(first, size, served);
  }

  override send(from: number, address: number, data: number, cause: number, pasid?: number): void {
    if (pciCommand.f.busMaster.flag(this.machine.state, this.object, device.at.command) === undefined)
      this.#untold(from, 'whether the function may send: Bus Master Enable', cause);
    else super.send(from, address, data, cause, pasid);
  }
}
