// What an ITS is made of: its widths, what its tables map, and its side of virtual LPIs.
import type { ObjectId } from '../../base/ids.ts';
import type { CommandError, VirtualCommand } from './its-command.ts';

/** What a particular ITS offers; the widths are those of GITS_TYPER and GICD_TYPER. */
export interface ItsWidths {
  /** Bits of a DeviceID (Devbits + 1), of an EventID (ID_bits + 1), of an INTID (IDbits + 1). */
  readonly deviceBits: number;
  readonly eventBits: number;
  readonly intidBits: number;
  readonly collections: number;
}

/** Those of the ITS of a scenario. */
export const WIDTHS: ItsWidths = { deviceBits: 16, eventBits: 16, intidBits: 16, collections: 65536 };

/** What an interrupt translation table entry maps. */
export interface MappedEvent {
  readonly object: ObjectId;
  readonly lpi: number;
  readonly collection: number;
  /** vPEID that it goes to, and `lpi` is what the guest sees; -1: a physical LPI. */
  readonly vpe: number;
}

/** What ITSs with GICv4 do beside. */
export interface VirtualSide {
  /** Executes a command of an ITS, by its number; what refuses it. */
  execute(its: number, order: VirtualCommand): CommandError | undefined;
  /** Sends a virtual LPI to a vPE; why it cannot. */
  deliver(its: number, event: ObjectId, cause: number): string | undefined;
  /** Drops the pending state of a virtual LPI, and says why. */
  clear(vpe: number, vlpi: number, why: string): void;
}

/** A command about a physical LPI for an EventID that is mapped to a virtual one. */
export const MAPPED_VIRTUALLY: CommandError = [0, 'the EventID is mapped to a virtual LPI'];
/** A command of GICv4 for an ITS without it. */
export const NO_VIRTUAL: CommandError = [0, 'the ITS has no virtual LPIs (GITS_TYPER.Virtual 0)'];
