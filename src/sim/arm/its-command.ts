import { byName } from '../../base/by-name.ts';
import { packRegister } from '../../model/register.ts';
import { itsCommands } from '../../model/registers/its.ts';

/** A command of GICv4. `doorbell` 1023: none. */
export type VirtualCommand =
  | {
      readonly op: 'VMAPP';
      readonly vpe: number;
      readonly target: number;
      readonly valid: boolean;
      readonly defaultDoorbell: number;
      readonly pendingAddress: number;
      readonly pendingSize: number;
    }
  | {
      readonly op: 'VMAPTI';
      readonly device: number;
      readonly event: number;
      readonly vpe: number;
      readonly vlpi: number;
      readonly doorbell: number;
    }
  | {
      readonly op: 'VMAPI';
      readonly device: number;
      readonly event: number;
      readonly vpe: number;
      readonly doorbell: number;
    }
  | {
      readonly op: 'VMOVI';
      readonly device: number;
      readonly event: number;
      readonly vpe: number;
      readonly doorbellValid: boolean;
      readonly doorbell: number;
    }
  | {
      readonly op: 'VMOVP';
      readonly vpe: number;
      readonly target: number;
      /** Number of the command in the order that all ITSs of the list keep, and those ITSs, a bit each; 0 without a list. */
      readonly sequence: number;
      readonly itsList: number;
    }
  | { readonly op: 'VINVALL' | 'VSYNC' | 'INVDB'; readonly vpe: number };

/** A command as software puts it into the queue (Arm IHI 0069, 5.3). Sizes are in EventID bits minus one, as MAPD has it. */
export type ItsCommand =
  | {
      readonly op: 'MAPD';
      readonly device: number;
      readonly size: number;
      readonly itt: number;
      readonly valid: boolean;
    }
  | { readonly op: 'MAPC'; readonly collection: number; readonly target: number; readonly valid: boolean }
  | {
      readonly op: 'MAPTI';
      readonly device: number;
      readonly event: number;
      readonly lpi: number;
      readonly collection: number;
    }
  | { readonly op: 'MAPI'; readonly device: number; readonly event: number; readonly collection: number }
  | { readonly op: 'MOVI'; readonly device: number; readonly event: number; readonly collection: number }
  | { readonly op: 'DISCARD' | 'INV' | 'INT' | 'CLEAR'; readonly device: number; readonly event: number }
  | { readonly op: 'INVALL'; readonly collection: number }
  | { readonly op: 'MOVALL'; readonly from: number; readonly to: number }
  | { readonly op: 'SYNC'; readonly target: number }
  | VirtualCommand;

/** Whether it is one of GICv4. */
export const isVirtual = (order: ItsCommand): order is VirtualCommand =>
  order.op.startsWith('V') || order.op === 'INVDB';

/** What a command is refused with: error code, 0 where no source tells it, and reason. */
export type CommandError = readonly [number, string];

/** Error codes by command and cause: opcode in bits 15:8 (Arm IHI 0069, 5.3; those that KVM's ITS has agree). */
export const CODES = {
  MAPD: { device: [0x010801, 'DeviceID out of range'], size: [0x010802, 'ITT size out of range'] },
  MAPC: { target: [0x010902, 'no such redistributor'], collection: [0x010903, 'collection out of range'] },
  MAPTI: {
    collection: [0x010a03, 'collection out of range'],
    unmapped: [0x010a04, 'device not mapped'],
    event: [0x010a05, 'EventID out of range'],
    lpi: [0x010a06, 'INTID is no LPI'],
  },
  MOVI: { unmapped: [0x010107, 'interrupt not mapped'], collection: [0x010109, 'collection not mapped'] },
  INT: { unmapped: [0x010307, 'interrupt not mapped'], collection: [0x010309, 'collection not mapped'] },
  CLEAR: { unmapped: [0x010507, 'interrupt not mapped'] },
  INV: { unmapped: [0x010c07, 'interrupt not mapped'] },
  INVALL: { collection: [0x010d09, 'collection not mapped'] },
  MOVALL: { target: [0x010e01, 'no such redistributor'] },
  SYNC: { target: [0, 'no such redistributor'] },
  DISCARD: { unmapped: [0x010f07, 'interrupt not mapped'] },
} as const;

/** Field of the layouts for each argument; redistributors are named by number (GITS_TYPER.PTA 0). */
const FIELDS: Readonly<Record<string, string>> = byName({
  device: 'deviceId',
  event: 'eventId',
  lpi: 'pintid',
  collection: 'icid',
  target: 'rdbase',
  from: 'rdbase1',
  to: 'rdbase2',
  itt: 'ittAddress',
  vpe: 'vpeId',
  vlpi: 'vintid',
});

/** The doublewords of a command as they stand in the queue, each as two words, the lower first. */
export function doublewords(order: ItsCommand): readonly (readonly number[])[] {
  const spec = itsCommands.find(({ name }) => name === order.op)!;
  const given = new Map(Object.entries(order).map(([name, value]) => [FIELDS[name] ?? name, value]));
  return spec.dwords.map((register) => {
    const fields: Record<string, number> = {};
    for (const field of register.fields) {
      const value = given.get(field.name);
      if (field.name === 'opcode') fields[field.name] = spec.opcode;
      else if (typeof value === 'boolean') fields[field.name] = value ? 1 : 0;
      // Addresses are given whole; the field has their upper bits.
      else if (typeof value === 'number')
        fields[field.name] = Math.floor(value / (/Address$/.test(field.name) ? 2 ** field.lo : 1));
    }
    return packRegister(register, fields);
  });
}

/** The arguments of a command in words. */
export function argumentsOf(order: ItsCommand): string {
  const { op, ...args } = order;
  return Object.entries(args)
    .map(([name, value]) => `${name} ${value}`)
    .join(' ');
}
