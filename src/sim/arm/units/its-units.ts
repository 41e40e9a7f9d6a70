import type { PciFunction } from '../../device/pci-function.ts';
import type { Irq } from '../../irq/domain.ts';
import { type Service, service } from '../../setup.ts';
import type { Gic } from '../gic.ts';
import type { Its } from '../its.ts';
import type { ItsDomain } from '../its-domain.ts';
import type { LpiSpace } from './lpis.ts';
import { type ItsPlace, itsOf } from './places.ts';

/** An ITS, and what its driver made for it. */
export interface ItsUnit {
  readonly its: Its;
  readonly domain: ItsDomain;
}

/** What an Arm host with ITSs has in place of remapping unit and vector domain: one GIC, and one ITS or several. */
export class ItsUnits {
  readonly gic: Gic;
  readonly lpis: LpiSpace;
  readonly all: readonly ItsUnit[];
  readonly #places: readonly ItsPlace[];

  constructor(gic: Gic, lpis: LpiSpace, all: readonly ItsUnit[], places: readonly ItsPlace[]) {
    this.gic = gic;
    this.lpis = lpis;
    this.all = all;
    this.#places = places;
  }

  /** The ITS that serves a function, as the firmware maps its requester ID; a function that none serves was refused with the scenario. */
  of({ requester }: PciFunction): ItsUnit {
    return this.all[Math.max(0, itsOf(this.#places, requester))]!;
  }

  /** The ITS of an object `its/<n>`. */
  at(object: string): ItsUnit | undefined {
    return this.all.find(({ its }) => object === `its/${its.number}`);
  }

  /** The CPU that an irq goes to, -1 while it goes to none. */
  target(irq: Irq): number {
    return this.of(irq.device).domain.target(irq);
  }
}

/** The ITSs of an Arm host, where it has them. */
export const itsUnits: Service<ItsUnits> = service<ItsUnits>('ITS');
