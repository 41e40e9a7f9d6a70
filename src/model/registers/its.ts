import type { Field } from '../field.ts';
import type { Register } from '../register.ts';
import { bit, bits, register, reserved, withReserved } from './layout.ts';

const linux = 'drivers/irqchip/irq-gic-v3-its.c its_encode_*';

/** A command of the ITS command queue: 32 bytes, described as four registers of 64 bits; field names are distinct. */
export interface ItsCommandSpec {
  readonly name: string;
  /** Bits 7:0 of the first doubleword. */
  readonly opcode: number;
  readonly meaning: string;
  /** First architecture version that has it. */
  readonly since: 'GICv3' | 'GICv4' | 'GICv4.1';
  readonly dwords: readonly [Register, Register, Register, Register];
}

type Dword = 0 | 1 | 2 | 3;

/** A field with the doubleword in which it lies. */
interface Placed {
  readonly dword: Dword;
  readonly field: Field;
}

const at = (dword: Dword, hi: number, lo: number, name: string, meaning: string): Placed => ({
  dword,
  field: bits(name, hi, lo, 'RW', meaning),
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

/** First INTID of an LPI: those below are wired or local (IHI 0069, 2.2.1). */
export const FIRST_LPI = 8192;

/** Bits 7:0 of the first doubleword of every command: which command it is. */
export const itsOpcode = bits('opcode', 7, 0, 'RW', 'Command number.');

function command(
  name: string,
  opcode: number,
  since: ItsCommandSpec['since'],
  meaning: string,
  ...fields: readonly Placed[]
): ItsCommandSpec {
  const code = {
    dword: 0,
    field: bits('opcode', itsOpcode.hi, itsOpcode.lo, itsOpcode.access, itsOpcode.meaning, {
      values: { [opcode]: name },
    }),
  };
  const dword = (n: Dword): Register =>
    register(
      `ITS ${name} DW${n}`,
      64,
      `Doubleword ${n} of the ITS command ${name}. ${meaning}`,
      `GICv3 "ITS commands" ${name}; ${linux}`,
      withReserved(
        64,
        [code, ...fields].filter((placed) => placed.dword === n).map((placed) => placed.field),
      ),
    );
  return { name, opcode, since, meaning, dwords: [dword(0), dword(1), dword(2), dword(3)] };
}

/** The commands that software writes into the ITS command queue. Source: GICv3 "ITS commands"; irq-gic-v3-its.c. */
export const itsCommands: readonly ItsCommandSpec[] = [
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
  command('INV', 0x0c, 'GICv3', 'Makes the configuration byte of an event be read again.', deviceId, eventId),
  command('INVALL', 0x0d, 'GICv3', 'Makes the configuration of a collection be read again.', icid),
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
  command('VINVALL', 0x2d, 'GICv4', 'Makes the configuration of a virtual CPU be read again.', vpeId),
  command('INVDB', 0x2e, 'GICv4.1', 'Makes the configuration of the default doorbell be read again.', vpeId),
];

/** The ITS commands by opcode. */
export const itsCommandByOpcode: ReadonlyMap<number, ItsCommandSpec> = new Map(itsCommands.map((c) => [c.opcode, c]));

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
export const lpiConfig = register(
  'LPI configuration',
  8,
  'Priority and enable of one LPI. A change takes effect after INV or INVALL.',
  'GICv3 "LPI configuration tables"; include/linux/irqchip/arm-gic-v3.h LPI_PROP_*',
  [
    bit(
      'enable',
      0,
      'RW',
      'The LPI is forwarded to the CPU; while 0 it can only become pending. Linux masks an interrupt here.',
    ),
    bit('reserved1', 1, 'RsvdP', 'Reads as 1; Linux writes 1 (LPI_PROP_GROUP1).'),
    bits('priority', 7, 2, 'RW', 'Bits 7:2 of the priority, the lower value first.'),
  ],
);

/** What a device writes to GITS_TRANSLATER (offset 0x10040 of the ITS), 32 bits. The DeviceID comes with the write. */
export const itsTranslater = register(
  'GITS_TRANSLATER',
  32,
  'Raises an event of the device that writes.',
  'GICv3 "GITS_TRANSLATER"; drivers/irqchip/irq-gic-v3-its.c its_irq_compose_msi_msg',
  [bits('eventId', 31, 0, 'RW', 'EventID: entry of the translation table.')],
);

/** MSI_TYPER (offset 8 of a GICv2m frame), 32 bits. */
export const gicv2mTyper = register(
  'GICv2m MSI_TYPER',
  32,
  'Which SPIs the frame raises.',
  'SBSA "GICv2m MSI support"; drivers/irqchip/irq-gic-v2m.c V2M_MSI_TYPER_BASE_SPI, V2M_MSI_TYPER_NUM_SPI',
  withReserved(32, [
    bits('base', 25, 16, 'RO', 'INTID of its first SPI.'),
    bits('count', 9, 0, 'RO', 'How many SPIs it has.'),
  ]),
);

/** What a device writes to MSI_SETSPI_NS (offset 0x40 of a GICv2m frame), 32 bits. */
export const gicv2mSetSpi = register(
  'GICv2m MSI_SETSPI_NS',
  32,
  'Raises an SPI; there is neither a DeviceID nor a table.',
  'SBSA "GICv2m MSI support"; drivers/irqchip/irq-gic-v2m.c gicv2m_compose_msi_msg',
  withReserved(32, [bits('intid', 9, 0, 'RW', 'INTID of the SPI, 32 to 1019, within the range of the frame.')]),
);

const qemu = 'hw/intc/gicv3_internal.h (QEMU)';
const entryValid = bit('valid', 0, 'HW', 'The entry is valid.');

/** Level 1 entry of an indirect table (GITS_BASER.Indirect), 64 bits; architectural. */
export const itsLevel1 = register(
  'ITS level 1 table entry',
  64,
  'Where a page of the level 2 table lies. Written by software.',
  `GICv3 "ITS tables"; ${qemu} L2_TABLE_VALID_MASK`,
  withReserved(64, [
    bits('address', 51, 12, 'RW', 'Bits 51:12 of the address; aligned to the page size.'),
    bit('valid', 63, 'RW', 'The entry is valid.'),
  ]),
);

/** Device table entry as the emulated ITS of QEMU stores it, 64 bits. The layout is the emulation's own choice. */
export const itsDte = register(
  'ITS device table entry (QEMU)',
  64,
  'The interrupt translation table of one DeviceID; written by MAPD.',
  `${qemu} DTE`,
  withReserved(64, [
    entryValid,
    bits('size', 5, 1, 'HW', 'Number of EventID bits minus one.'),
    bits('ittAddress', 49, 6, 'HW', 'Bits 51:8 of the address of the translation table.'),
  ]),
);

/** Interrupt translation table entry as the emulated ITS of QEMU stores it, 96 bits. */
export const itsIte = register(
  'ITS translation table entry (QEMU)',
  96,
  'The interrupt of one EventID of a device; written by MAPTI, MAPI, MOVI and DISCARD.',
  `${qemu} ITE_L, ITE_H`,
  withReserved(96, [
    entryValid,
    bit('type', 1, 'HW', 'Kind of the interrupt.', { values: { 0: 'virtual', 1: 'physical' } }),
    bits('intid', 25, 2, 'HW', 'INTID of the LPI, 8192 or above.'),
    bits('icid', 47, 32, 'HW', 'Collection of a physical interrupt.'),
    bits('vpeId', 63, 48, 'HW', 'Virtual CPU of a virtual interrupt.'),
    bits(
      'doorbell',
      87,
      64,
      'HW',
      'Doorbell INTID of a virtual interrupt, 1023 for none; not reliable for a physical one.',
    ),
  ]),
);

/** Collection table entry as the emulated ITS of QEMU stores it, 64 bits. */
export const itsCte = register(
  'ITS collection table entry (QEMU)',
  64,
  'The redistributor of one collection; written by MAPC.',
  `${qemu} CTE`,
  withReserved(64, [entryValid, bits('rdbase', 16, 1, 'HW', 'Number of the redistributor: the CPU.')]),
);

/** Virtual CPU table entry as the emulated ITS of QEMU stores it, 64 bits. */
export const itsVte = register(
  'ITS vPE table entry (QEMU)',
  64,
  'Redistributor and pending table of one virtual CPU; written by VMAPP and VMOVP.',
  `${qemu} VTE`,
  withReserved(64, [
    entryValid,
    bits('pendingSize', 5, 1, 'HW', 'Number of vINTID bits minus one.'),
    bits('pendingAddress', 41, 6, 'HW', 'Bits 51:16 of the address of the pending table.'),
    bits('rdbase', 57, 42, 'HW', 'Number of the redistributor.'),
  ]),
);

/** ICC_CTLR_EL1, the control register of a GICv3 CPU interface, 32 bits. */
export const iccControl = register(
  'ICC_CTLR_EL1',
  32,
  'How a CPU interface of a GICv3 works.',
  'IHI 0069 12.2.6; include/linux/irqchip/arm-gic-v3.h ICC_CTLR_EL1_EOImode',
  [
    bit('cbpr', 0, 'RW', 'One binary point register for both groups.'),
    bit('eoiMode', 1, 'RW', 'What ICC_EOIR does.', {
      values: { 0: 'priority drop and deactivation', 1: 'priority drop only; ICC_DIR deactivates' },
    }),
    reserved(5, 2),
    bit('pmhe', 6, 'RW', 'Priority mask hint.'),
    reserved(7, 7),
    bits('priBits', 10, 8, 'RO', 'Priority bits, minus 1.'),
    bits('idBits', 13, 11, 'RO', 'INTID bits: 16 or 24.'),
    bit('seis', 14, 'RO', 'SEI support.'),
    bit('a3v', 15, 'RO', 'Affinity 3 values in SGIs.'),
    reserved(17, 16),
    bit('rss', 18, 'RO', 'Range selector support.'),
    bit('extRange', 19, 'RO', 'Extended INTID ranges.'),
    reserved(31, 20),
  ],
);

/** GICD_IROUTER, where an SPI goes, lower 32 bits. */
export const gicRoute = register('GICD_IROUTER', 32, 'Where an SPI goes.', 'IHI 0069 12.9.22', [
  bits('aff0', 7, 0, 'RW', 'Affinity level 0.'),
  bits('aff1', 15, 8, 'RW', 'Affinity level 1.'),
  bits('aff2', 23, 16, 'RW', 'Affinity level 2.'),
  reserved(30, 24),
  bit('any', 31, 'RW', 'Any processor that takes part may get it; the affinity does not count.'),
]);
