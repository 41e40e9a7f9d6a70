import type { Field, Register } from '../register.ts';
import { withReserved } from './reserved.ts';

const linux = 'drivers/irqchip/irq-gic-v3-its.c its_encode_*';

/** A command of the ITS command queue: 32 bytes, described as four registers of 64 bits; field names are distinct. */
export interface ItsCommand {
  readonly name: string;
  /** Bits 7:0 of the first doubleword. */
  readonly opcode: number;
  readonly meaning: string;
  /** First architecture version that has it. */
  readonly since: 'GICv3' | 'GICv4' | 'GICv4.1';
  readonly dwords: readonly [Register, Register, Register, Register];
}

type Dword = 0 | 1 | 2 | 3;
type Placed = Field & { readonly dword: Dword };

const at = (dword: Dword, hi: number, lo: number, name: string, meaning: string): Placed => ({
  dword,
  name,
  hi,
  lo,
  access: 'RW',
  meaning,
});

const deviceId = at(0, 63, 32, 'deviceId', 'DeviceID of the requester.');
const eventId = at(1, 31, 0, 'eventId', 'EventID: the data of the message.');
const icid = at(2, 15, 0, 'icid', 'Collection id; a collection stands for a redistributor.');
const rdbase = at(
  2,
  51,
  16,
  'rdbase',
  'Target redistributor: its number when GITS_TYPER.PTA is 0, else its address 51:16.',
);
const valid = at(2, 63, 63, 'valid', 'Valid: 1 maps, 0 unmaps.');
const vpeId = at(1, 47, 32, 'vpeId', 'vPEID: the virtual CPU.');
const doorbell = at(
  2,
  63,
  32,
  'doorbell',
  'INTID of the doorbell LPI raised while the vPE is not resident; 1023 for none.',
);
const vintid = at(2, 31, 0, 'vintid', 'vINTID: the virtual LPI.');

function command(
  name: string,
  opcode: number,
  since: ItsCommand['since'],
  meaning: string,
  ...fields: readonly Placed[]
): ItsCommand {
  const code = { ...at(0, 7, 0, 'opcode', 'Command number.'), values: { [opcode]: name } };
  const dword = (n: Dword): Register => ({
    name: `ITS ${name} DW${n}`,
    width: 64,
    meaning: `Doubleword ${n} of the ITS command ${name}. ${meaning}`,
    spec: `GICv3 "ITS commands" ${name}; ${linux}`,
    fields: withReserved(
      64,
      [code, ...fields].filter((field) => field.dword === n).map(({ dword: _, ...field }) => field),
    ),
  });
  return { name, opcode, since, meaning, dwords: [dword(0), dword(1), dword(2), dword(3)] };
}

/** The commands that software writes into the ITS command queue. Source: GICv3 "ITS commands"; irq-gic-v3-its.c. */
export const itsCommands: readonly ItsCommand[] = [
  command('MOVI', 0x01, 'GICv3', 'Moves one event to another collection.', deviceId, eventId, icid),
  command('INT', 0x03, 'GICv3', 'Makes the interrupt of an event pending.', deviceId, eventId),
  command('CLEAR', 0x04, 'GICv3', 'Takes back the pending state of an event.', deviceId, eventId),
  command('SYNC', 0x05, 'GICv3', 'Waits until earlier commands have reached a redistributor.', rdbase),
  command(
    'MAPD',
    0x08,
    'GICv3',
    'Gives a device its interrupt translation table, or takes it away.',
    deviceId,
    at(1, 4, 0, 'size', 'Number of EventID bits minus one: the table has 2^(size + 1) entries.'),
    at(2, 51, 8, 'ittAddress', 'Bits 51:8 of the address of the interrupt translation table.'),
    valid,
  ),
  command('MAPC', 0x09, 'GICv3', 'Connects a collection to a redistributor.', icid, rdbase, valid),
  command(
    'MAPTI',
    0x0a,
    'GICv3',
    'Maps an event to an LPI and a collection.',
    deviceId,
    eventId,
    at(1, 63, 32, 'pintid', 'pINTID: the LPI, 8192 or above.'),
    icid,
  ),
  command('MAPI', 0x0b, 'GICv3', 'Maps an event to the LPI of the same number.', deviceId, eventId, icid),
  command('INV', 0x0c, 'GICv3', 'Makes the configuration byte of an event be read anew.', deviceId, eventId),
  command('INVALL', 0x0d, 'GICv3', 'Makes the configuration of a collection be read anew.', icid),
  command(
    'MOVALL',
    0x0e,
    'GICv3',
    'Moves the pending state of all LPIs to another redistributor.',
    at(2, 51, 16, 'rdbase1', 'Old redistributor.'),
    at(3, 51, 16, 'rdbase2', 'New redistributor.'),
  ),
  command('DISCARD', 0x0f, 'GICv3', 'Unmaps an event and clears its pending state.', deviceId, eventId),
  command(
    'VMOVI',
    0x21,
    'GICv4',
    'Moves one event to another virtual CPU.',
    deviceId,
    eventId,
    vpeId,
    at(2, 0, 0, 'doorbellValid', 'D: the doorbell is replaced too.'),
    doorbell,
  ),
  command(
    'VMOVP',
    0x22,
    'GICv4',
    'Moves a virtual CPU to another redistributor.',
    at(0, 47, 32, 'sequence', 'Sequence number; not used when GITS_TYPER.VMOVP is 1.'),
    at(1, 15, 0, 'itsList', 'ITSs that get this command; not used when GITS_TYPER.VMOVP is 1.'),
    vpeId,
    rdbase,
    at(2, 63, 63, 'defaultDoorbellValid', 'DB: the default doorbell is used (GICv4.1).'),
    at(3, 31, 0, 'defaultDoorbell', 'INTID of the default doorbell (GICv4.1).'),
  ),
  command(
    'VSGI',
    0x23,
    'GICv4.1',
    'Configures a virtual SGI or clears its pending state.',
    at(0, 8, 8, 'enable', 'Enable.'),
    at(0, 9, 9, 'clear', 'Clear the pending state; the configuration stays.'),
    at(0, 10, 10, 'group', 'Interrupt group.'),
    at(0, 23, 20, 'priority', 'Bits 7:4 of the priority.'),
    at(0, 35, 32, 'vsgi', 'vINTID of the SGI.'),
    vpeId,
  ),
  command('VSYNC', 0x25, 'GICv4', 'Waits until earlier commands for a virtual CPU have taken effect.', vpeId),
  command(
    'VMAPP',
    0x29,
    'GICv4',
    'Maps a virtual CPU: its redistributor and its tables.',
    at(0, 8, 8, 'alloc', 'First map or last unmap of this vPE (GICv4.1).'),
    at(0, 9, 9, 'ptz', 'The pending table is known to be zero (GICv4.1).'),
    at(0, 51, 16, 'configAddress', 'Bits 51:16 of the address of the LPI configuration table (GICv4.1).'),
    at(1, 31, 0, 'defaultDoorbell', 'INTID of the default doorbell (GICv4.1).'),
    vpeId,
    rdbase,
    valid,
    at(3, 4, 0, 'pendingSize', 'VPT_size: number of vINTID bits minus one.'),
    at(3, 51, 16, 'pendingAddress', 'VPT_addr: bits 51:16 of the address of the virtual pending table.'),
  ),
  command(
    'VMAPTI',
    0x2a,
    'GICv4',
    'Maps an event to a virtual LPI of a virtual CPU.',
    deviceId,
    eventId,
    vpeId,
    vintid,
    doorbell,
  ),
  command(
    'VMAPI',
    0x2b,
    'GICv4',
    'Maps an event to the virtual LPI of the same number.',
    deviceId,
    eventId,
    vpeId,
    doorbell,
  ),
  command('VINVALL', 0x2d, 'GICv4', 'Makes the configuration of a virtual CPU be read anew.', vpeId),
  command('INVDB', 0x2e, 'GICv4.1', 'Makes the configuration of the default doorbell be read anew.', vpeId),
];

/** The ITS commands by opcode. */
export const itsCommandByOpcode: ReadonlyMap<number, ItsCommand> = new Map(itsCommands.map((c) => [c.opcode, c]));

/** An error that an ITS reports for a command it does not carry out. */
export interface ItsError {
  readonly command: string;
  readonly text: string;
}

/**
 * Command errors of the ITS by number. 0x01 in the top byte; the middle byte is the opcode, except that CLEAR (0x04)
 * reports 0x05; the low byte is the reason. Source: GICv3 "ITS commands"; include/linux/irqchip/arm-gic-v3.h E_ITS_*.
 */
export const itsErrors: Readonly<Record<number, ItsError>> = {
  65799: { command: 'MOVI', text: 'the event is not mapped' },
  65801: { command: 'MOVI', text: 'the collection is not mapped' },
  66311: { command: 'INT', text: 'the event is not mapped' },
  66823: { command: 'CLEAR', text: 'the event is not mapped' },
  67585: { command: 'MAPD', text: 'the DeviceID is out of range' },
  67586: { command: 'MAPD', text: 'the size of the translation table is out of range' },
  67842: { command: 'MAPC', text: 'the target redistributor is out of range' },
  67843: { command: 'MAPC', text: 'the collection id is out of range' },
  68100: { command: 'MAPTI', text: 'the device is not mapped' },
  68101: { command: 'MAPTI', text: 'the EventID is out of range' },
  68102: { command: 'MAPTI', text: 'the INTID is no LPI or out of range' },
  68615: { command: 'INV', text: 'the event is not mapped' },
  68873: { command: 'INVALL', text: 'the collection is not mapped' },
  69121: { command: 'MOVALL', text: 'a redistributor is out of range' },
  69383: { command: 'DISCARD', text: 'the event is not mapped' },
};

/** First INTID of the LPIs. Byte n of the configuration table is INTID 8192 + n; bit n of a pending table is INTID n. */
export const firstLpi = 8192;

/** One byte of the LPI configuration table (GICR_PROPBASER): byte n belongs to LPI 8192 + n. */
export const lpiConfig: Register = {
  name: 'LPI configuration',
  width: 8,
  meaning: 'Priority and enable of one LPI. A change takes effect after INV or INVALL.',
  spec: 'GICv3 "LPI configuration tables"; include/linux/irqchip/arm-gic-v3.h LPI_PROP_*',
  fields: [
    {
      name: 'enable',
      hi: 0,
      lo: 0,
      access: 'RW',
      meaning: 'The LPI is forwarded to the CPU; while 0 it can only become pending. Linux masks an interrupt here.',
    },
    { name: 'reserved1', hi: 1, lo: 1, access: 'RsvdP', meaning: 'Reads as 1; Linux writes 1 (LPI_PROP_GROUP1).' },
    { name: 'priority', hi: 7, lo: 2, access: 'RW', meaning: 'Bits 7:2 of the priority, the lower value first.' },
  ],
};

/** What a device writes to GITS_TRANSLATER (offset 0x10040 of the ITS), 32 bits. The DeviceID comes with the write. */
export const itsTranslater: Register = {
  name: 'GITS_TRANSLATER',
  width: 32,
  meaning: 'Raises an event of the device that writes.',
  spec: 'GICv3 "GITS_TRANSLATER"; drivers/irqchip/irq-gic-v3-its.c its_irq_compose_msi_msg',
  fields: [{ name: 'eventId', hi: 31, lo: 0, access: 'RW', meaning: 'EventID: entry of the translation table.' }],
};

/** What a device writes to MSI_SETSPI_NS (offset 0x40 of a GICv2m frame), 32 bits. */
export const gicv2mSetSpi: Register = {
  name: 'GICv2m MSI_SETSPI_NS',
  width: 32,
  meaning: 'Raises an SPI; there is neither a DeviceID nor a table.',
  spec: 'SBSA "GICv2m MSI support"; drivers/irqchip/irq-gic-v2m.c gicv2m_compose_msi_msg',
  fields: withReserved(32, [
    {
      name: 'intid',
      hi: 9,
      lo: 0,
      access: 'RW',
      meaning: 'INTID of the SPI, 32 to 1019, within the range of the frame.',
    },
  ]),
};

const qemu = 'hw/intc/gicv3_internal.h (QEMU)';
const entryValid: Field = { name: 'valid', hi: 0, lo: 0, access: 'HW', meaning: 'The entry is valid.' };

/** Level 1 entry of an indirect table (GITS_BASER.Indirect), 64 bits; architectural. */
export const itsLevel1: Register = {
  name: 'ITS level 1 table entry',
  width: 64,
  meaning: 'Where a page of the level 2 table lies. Written by software.',
  spec: `GICv3 "ITS tables"; ${qemu} L2_TABLE_VALID_MASK`,
  fields: withReserved(64, [
    { name: 'address', hi: 51, lo: 12, access: 'RW', meaning: 'Bits 51:12 of the address; aligned to the page size.' },
    { name: 'valid', hi: 63, lo: 63, access: 'RW', meaning: 'The entry is valid.' },
  ]),
};

/** Device table entry as the emulated ITS of QEMU stores it, 64 bits. The layout is the emulation's own choice. */
export const itsDte: Register = {
  name: 'ITS device table entry (QEMU)',
  width: 64,
  meaning: 'The interrupt translation table of one DeviceID; written by MAPD.',
  spec: `${qemu} DTE`,
  fields: withReserved(64, [
    entryValid,
    { name: 'size', hi: 5, lo: 1, access: 'HW', meaning: 'Number of EventID bits minus one.' },
    { name: 'ittAddress', hi: 49, lo: 6, access: 'HW', meaning: 'Bits 51:8 of the address of the translation table.' },
  ]),
};

/** Interrupt translation table entry as the emulated ITS of QEMU stores it, 96 bits. */
export const itsIte: Register = {
  name: 'ITS translation table entry (QEMU)',
  width: 96,
  meaning: 'The interrupt of one EventID of a device; written by MAPTI, MAPI, MOVI and DISCARD.',
  spec: `${qemu} ITE_L, ITE_H`,
  fields: withReserved(96, [
    entryValid,
    {
      name: 'type',
      hi: 1,
      lo: 1,
      access: 'HW',
      meaning: 'Kind of the interrupt.',
      values: { 0: 'virtual', 1: 'physical' },
    },
    { name: 'intid', hi: 25, lo: 2, access: 'HW', meaning: 'INTID of the LPI, 8192 or above.' },
    { name: 'icid', hi: 47, lo: 32, access: 'HW', meaning: 'Collection of a physical interrupt.' },
    { name: 'vpeId', hi: 63, lo: 48, access: 'HW', meaning: 'Virtual CPU of a virtual interrupt.' },
    {
      name: 'doorbell',
      hi: 87,
      lo: 64,
      access: 'HW',
      meaning: 'Doorbell INTID of a virtual interrupt, 1023 for none; not reliable for a physical one.',
    },
  ]),
};

/** Collection table entry as the emulated ITS of QEMU stores it, 64 bits. */
export const itsCte: Register = {
  name: 'ITS collection table entry (QEMU)',
  width: 64,
  meaning: 'The redistributor of one collection; written by MAPC.',
  spec: `${qemu} CTE`,
  fields: withReserved(64, [
    entryValid,
    { name: 'rdbase', hi: 16, lo: 1, access: 'HW', meaning: 'Number of the redistributor: the CPU.' },
  ]),
};

/** Virtual CPU table entry as the emulated ITS of QEMU stores it, 64 bits. */
export const itsVte: Register = {
  name: 'ITS vPE table entry (QEMU)',
  width: 64,
  meaning: 'Redistributor and pending table of one virtual CPU; written by VMAPP and VMOVP.',
  spec: `${qemu} VTE`,
  fields: withReserved(64, [
    entryValid,
    { name: 'pendingSize', hi: 5, lo: 1, access: 'HW', meaning: 'Number of vINTID bits minus one.' },
    { name: 'pendingAddress', hi: 41, lo: 6, access: 'HW', meaning: 'Bits 51:16 of the address of the pending table.' },
    { name: 'rdbase', hi: 57, lo: 42, access: 'HW', meaning: 'Number of the redistributor.' },
  ]),
};
