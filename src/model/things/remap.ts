import { objectType } from '../objects.ts';
import { besides, byNumber, byNumberAtFirst } from '../reference.ts';
import { amdIrte32, amdIrte128 } from '../registers/amd.ts';
import { gicv2mTyper } from '../registers/its.ts';
import { vtdIrte } from '../registers/vtd.ts';

/** An interrupt remapping unit: `irte/<unit>`. */
export const remapUnit = objectType('irunit', 'An interrupt remapping unit.', {
  kind: { kind: 'text', meaning: 'VT-d or AMD-Vi.' },
  enabled: { kind: 'flag', meaning: 'Interrupt remapping is on.' },
  eim: {
    kind: 'flag',
    meaning: 'Extended interrupt mode: destinations are 32-bit x2APIC ids, not xAPIC ids in bits 15:8.',
  },
  table: { kind: 'hex', words: 2, meaning: 'Physical address of the interrupt remapping table.' },
  entries: { kind: 'num', meaning: 'Entries in the table.' },
  requests: { kind: 'count', meaning: 'Messages that reached the unit so far.' },
  invalidations: { kind: 'count', meaning: 'Interrupt entry cache invalidations so far, global ones included.' },
  waits: { kind: 'count', meaning: 'Wait descriptors that the unit carried out so far.' },
  longestWait: {
    kind: 'num',
    meaning: 'Longest time that an invalidation took with its wait descriptor, in nanoseconds.',
  },
  faults: { kind: 'count', meaning: 'Faults and refused messages so far.' },
  told: { kind: 'flag', hidden: true, meaning: 'The trace shows what the unit reads.' },
});

/** An interrupt remapping table entry: `irte/<unit>/<index>`. */
export const irte = objectType('irte', 'An interrupt remapping table entry as the unit has it.', {
  value: {
    kind: 'reg',
    register: vtdIrte,
    meaning:
      'The 128 bits of the entry: as the unit read them last, or as they were written before its copy was invalidated.',
  },
  destId: { kind: 'num', hidden: true, meaning: 'Destination APIC id as the unit printed it.' },
  stale: {
    kind: 'flag',
    meaning:
      'The unit may go on with an older copy: the entry was written since it was read, and no invalidation that covers it has completed.',
  },
  reads: { kind: 'count', meaning: 'Times the unit read it.' },
  remaps: { kind: 'count', meaning: 'Messages that it remapped.' },
  invalidations: { kind: 'count', meaning: 'Invalidations of its cache entry by index.' },
  table: {
    kind: 'reg',
    register: vtdIrte,
    meaning: 'The 128 bits in the table in memory, where writes of the kernel show them.',
  },
  cached: { kind: 'flag', hidden: true, meaning: 'The interrupt entry cache of the unit holds what was read last.' },
  told: { kind: 'flag', hidden: true, meaning: 'The trace shows writes of the table entry.' },
});

/** An AMD interrupt remapping table entry: `irte/<device id>/<index>`. */
export const amdIrte = objectType('amdirte', 'An AMD interrupt remapping table entry as the unit has it.', {
  value: {
    kind: 'reg',
    register: amdIrte128,
    meaning: 'The 128 bits of the entry (32-bit entries leave the rest unknown).',
  },
  ga: { kind: 'flag', meaning: 'The entry is of the 128-bit kind.' },
  stale: {
    kind: 'flag',
    meaning:
      'The unit may go on with an older copy: the entry was written since it was read, and its table was not invalidated.',
  },
  reads: { kind: 'count', meaning: 'Times the unit read it.' },
  remaps: { kind: 'count', meaning: 'Messages that it remapped.' },
  invalidations: { kind: 'count', meaning: 'Invalidations seen.' },
  table: {
    kind: 'reg',
    register: amdIrte32,
    meaning: 'A 32-bit entry in the table in memory, where a write of the kernel shows it.',
  },
  cached: { kind: 'flag', hidden: true, meaning: 'The unit has the entry in its cache as it was read last.' },
  told: { kind: 'flag', hidden: true, meaning: 'The trace shows writes of the table entry.' },
  wide: {
    kind: 'reg',
    register: amdIrte128,
    meaning: 'A 128-bit entry in the table in memory, where a write of the kernel shows it.',
  },
});

/** An Arm ITS: `its/<n>`. */
export const its = objectType('its', 'An Arm GICv3 interrupt translation service.', {
  commands: { kind: 'count', meaning: 'Commands processed so far.' },
  translations: { kind: 'count', meaning: 'Writes to GITS_TRANSLATER so far.' },
  errors: { kind: 'count', meaning: 'Commands and translations that the ITS refused so far.' },
  doorbell: { kind: 'hex', words: 2, meaning: 'Physical address of GITS_TRANSLATER.' },
  queued: { kind: 'count', meaning: 'Commands that software put into its queue so far.' },
});

/** A device of an ITS: `its/<n>/device/<hex DeviceID>`. */
export const itsDevice = objectType('itsdevice', 'A device table entry of an ITS.', {
  valid: { kind: 'flag', meaning: 'The device is mapped (MAPD with V = 1).' },
  size: { kind: 'num', meaning: 'Size field: EventID bits minus one.' },
  itt: { kind: 'hex', words: 2, meaning: 'Address of the interrupt translation table.' },
});

/** One entry of an interrupt translation table: `its/<n>/device/<hex DeviceID>/event/<EventID>`. */
export const itsEvent = objectType('itsevent', 'An interrupt translation table entry: EventID to LPI and collection.', {
  valid: { kind: 'flag', meaning: 'The EventID is mapped.' },
  lpi: {
    kind: 'num',
    meaning: 'Physical INTID; LPIs start at 8192.',
    ref: byNumber('the configuration of its LPI', 'gic/0/lpi'),
  },
  collection: {
    kind: 'num',
    meaning: 'Interrupt collection (ICID).',
    ref: besides('its collection', 4, 'collection'),
  },
  translations: { kind: 'count', meaning: 'Doorbell writes with this EventID so far.' },
  vpe: {
    kind: 'num',
    meaning: 'vPEID of the virtual CPU that it goes to (GICv4); unknown where it is a physical LPI.',
    ref: besides('its vPE', 4, 'vpe'),
  },
  vlpi: { kind: 'num', meaning: 'INTID that the guest sees (GICv4).' },
  vdoorbell: { kind: 'num', meaning: 'LPI raised while the vPE is not resident (GICv4.0); 1023 for none.' },
  invalidations: { kind: 'count', meaning: 'INV commands for it so far.' },
});

/** An interrupt collection: `its/<n>/collection/<icid>`. */
export const itsCollection = objectType('itscollection', 'A collection table entry of an ITS.', {
  valid: { kind: 'flag', meaning: 'The collection is mapped.' },
  target: {
    kind: 'num',
    meaning: 'Redistributor (processor number) that its LPIs go to.',
    // A log of the emulated machine names its processors vcpu.
    ref: byNumberAtFirst('the CPU that its LPIs go to', 'cpu', 'vcpu'),
  },
});

/** A virtual CPU as an ITS with GICv4 knows it: `its/<n>/vpe/<vPEID>`. */
export const itsVpe = objectType(
  'itsvpe',
  'A vPE table entry of an ITS (GICv4): a virtual CPU that takes interrupts by itself.',
  {
    valid: { kind: 'flag', meaning: 'The vPE is mapped (VMAPP with V = 1).' },
    target: {
      kind: 'num',
      meaning: 'Redistributor (processor number) that its interrupts are sent to (VMAPP, VMOVP).',
      ref: byNumberAtFirst('the CPU of its redistributor', 'cpu', 'vcpu'),
    },
    doorbell: { kind: 'num', meaning: 'Default doorbell LPI (GICv4.1); 1023 for none.' },
    resident: {
      kind: 'flag',
      meaning: 'It is resident at a redistributor (GICR_VPENDBASER.Valid): interrupts reach it without the host.',
    },
    cpu: {
      kind: 'num',
      meaning: 'Processor at whose redistributor it is resident, or was last.',
      ref: byNumber('the CPU where it is resident', 'cpu'),
    },
    armed: {
      kind: 'flag',
      meaning: 'The next interrupt raises its default doorbell (GICR_VPENDBASER.Doorbell, GICv4.1).',
    },
    pendingLast: {
      kind: 'flag',
      meaning: 'Something pended when it left its redistributor (GICR_VPENDBASER.PendingLast).',
    },
  },
);

/** The configuration of an LPI: `gic/<n>/lpi/<INTID>`. */
export const lpiConfig = objectType('lpi', 'The configuration of an LPI: a byte in memory, and what was read of it.', {
  enabled: { kind: 'flag', meaning: 'Bit 0 of the byte in the configuration table.' },
  priority: { kind: 'hex', meaning: 'Bits 7:2 of the byte, in place: lower is more urgent.' },
  cached: { kind: 'flag', meaning: 'The enable bit as the redistributor holds it: read by INV, INVALL or MAPTI.' },
});

/** A GICv2m frame: `gic/<n>/frame/<m>`. */
export const gicFrame = objectType(
  'gicframe',
  'A GICv2m frame: a doorbell that raises the SPI which the data of a message names.',
  {
    doorbell: {
      kind: 'hex',
      words: 2,
      meaning: 'Address of MSI_SETSPI_NS as it was written: bus address of the doorbell.',
    },
    typer: { kind: 'reg', register: gicv2mTyper, meaning: 'Which SPIs it raises (MSI_TYPER).' },
  },
);

/** A stream of an SMMU: `smmu/<n>/stream/<hex StreamID>`. */
export const smmuStream = objectType('stream', 'A requester behind an SMMU.', {
  translations: { kind: 'count', meaning: 'Accesses translated so far.' },
  aborts: { kind: 'count', meaning: 'Accesses aborted so far.' },
  faults: { kind: 'count', meaning: 'Events recorded for it so far.' },
  lastEvent: { kind: 'text', meaning: 'Last event recorded.' },
  iova: { kind: 'hex', words: 2, meaning: 'Input address of the last access.' },
  output: { kind: 'hex', words: 2, meaning: 'Output address of the last access, when it was translated.' },
  config: {
    kind: 'text',
    meaning: 'Stages in use: bypass, stage 1, stage 2, or nested (stage 1 of a guest on stage 2).',
  },
});
