import type { ObjectId } from '../../../base/ids.ts';
import { gicFrameSeen } from '../../../model/events/its.ts';
import { packRegister } from '../../../model/register.ts';
import { gicv2mSetSpi, gicv2mTyper } from '../../../model/registers/its.ts';
import { gicFrame } from '../../../model/things/remap.ts';
import type { Message } from '../../device/message.ts';
import { drop } from '../../drop.ts';
import type { Actor, Machine } from '../../machine.ts';
import type { Doorbell } from '../smmu.ts';
import type { Spis } from './spis.ts';

/** Where the frame of the virt machine of QEMU lies, its register MSI_SETSPI_NS, and its first SPI (48, INTID 80). */
const FRAME = 0x08020000;
const SETSPI = 0x40;
const FIRST = 80;
/** SPIs of that frame. */
export const FRAME_SPIS = 64;

/**
 * A GICv2m frame (SBSA): who writes the INTID of one of its SPIs to MSI_SETSPI_NS raises that SPI. It does not see who writes: any device that
 * reaches the frame raises any SPI of it.
 */
export class GicFrame implements Doorbell {
  readonly machine: Machine;
  readonly spis: Spis;
  readonly object: ObjectId;
  readonly first = FIRST;
  readonly count: number;
  readonly doorbell = FRAME + SETSPI;
  readonly what = 'of the GICv2m frame';
  readonly #actor: Actor = { layer: 'remap-unit', name: 'gicv2m', cpu: -1 };

  constructor(machine: Machine, spis: Spis, count = FRAME_SPIS) {
    this.machine = machine;
    this.spis = spis;
    this.count = count;
    this.object = machine.world.object(gicFrame, 'gic/0/frame/0');
  }

  /** The kernel finds it, and reads MSI_TYPER. */
  announce(): void {
    const typer = packRegister(gicv2mTyper, { base: this.first, count: this.count })[0]!;
    this.machine.emit(gicFrameSeen, this.object, { doorbell: this.doorbell, typer });
  }

  accept(message: Message): void {
    const { machine } = this;
    const spi = gicv2mSetSpi.f.intid.of(message.data);
    machine.as(this.#actor, () => {
      if (spi >= this.first && spi < this.first + this.count) this.spis.raise(spi, message.cause);
      else drop(machine, this.object, `GICv2m: INTID ${spi} is no SPI of the frame`, message.cause);
    });
  }
}
