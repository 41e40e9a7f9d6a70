// Messages that end on their way, as `-d guest_errors` tells it between the records: the lines have no stamp and no thread. Forms:
// system/memory.c (memory_region_access_valid), hw/arm/smmuv3.c (smmuv3_translate), hw/intc/arm_gicv3_its.c (lookup_ite and others).
import assert from 'node:assert/strict';
import { sample } from '../samples.ts';

const IOVA = 0xfffff040;
const hex = (n: number): string => `0x${n.toString(16)}`;
const map = (bdf: string, bar: number, base: number): string =>
  `pci_update_mappings_add e1000e ${bdf} ${bar},${hex(base)}+0x1000`;
const write = (address: number, value: number): string =>
  `memory_region_ops_write cpu 0 mr 0x1 addr ${hex(address)} value ${hex(value)} size 4 name 'msix-table'`;
/** An entry that holds a message for an address. */
const entry = (base: number, index: number, address: number, control = 0): string[] =>
  [address, 0, index, control].map((value, i) => write(base + 16 * index + 4 * i, value));
const on = ['pci_cfg_write e1000e 00:03.0 @0xa2 <- 0x8004', 'msix_write_config dev e1000e enabled 1 masked 0'];
const command = (value: number): string[] => [
  `memory_region_ops_write cpu 0 mr 0x2 addr 0x18004 value ${hex(value)} size 2 name 'pcie-mmcfg-mmio'`,
  `pci_cfg_write e1000e 00:03.0 @0x4 <- ${hex(value)}`,
];
const machine = [map('00:03.0', 3, 0x10000000), ...command(6), ...on, ...entry(0x10000000, 2, IOVA)];
const raise = 'e1000e_irq_msix_notify_vec MSI-X notify vector 0x2';
const unanswered = (address: number): string =>
  `!Invalid write at addr 0x${address.toString(16).toUpperCase()}, size 4, region '(null)', reason: rejected`;
const failed = (address: number, region = '24-2'): string =>
  `!smmuv3-iommu-memory-region-${region} translation failed for iova=${hex(address)} (SMMU_EVT_F_TRANSLATION)`;
const record = 'smmuv3_record_event SMMU_EVT_F_TRANSLATION sid=0x18';
const translated = `smmuv3_translate_success smmuv3-iommu-memory-region-24-2 sid=0x18 iova=${hex(IOVA)} translated=0x8090040 perm=0x3`;
const FAULT = `smmu.fault smmu/0/stream/0x18 event=SMMU_EVT_F_TRANSLATION iova=${hex(IOVA)} reason=SMMU_EVT_F_TRANSLATION`;
const ENTRY = 'device/0000:00:03.0/msix/2';

/** The events of lines that are only printed with the last `count` of them; those that begin with ! stand bare between the records. */
function last(count: number, ...lines: readonly string[]): string[] {
  const text = lines.map((l, i) => (l.startsWith('!') ? l.slice(1) : `7@1.${String(i).padStart(6, '0')}:${l}`));
  return sample(`${text.join('\n')}\n`).events.slice(-count);
}

describe('messages that nobody takes', () => {
  it('end at the entry of the cause just before, because the function may not write', () => {
    assert.deepEqual(last(2, ...machine, ...command(2), raise, unanswered(IOVA)), [
      `dev.raise ${ENTRY} vector=2`,
      `drop ${ENTRY} reason=Bus Master Enable is 0: the write to ${hex(IOVA)} never left the function`,
    ]);
  });

  it('end at an address where nobody answers, where the function may write', () => {
    assert.deepEqual(last(1, ...machine, raise, unanswered(IOVA)), [
      `drop ${ENTRY} reason=nobody answers the write to ${hex(IOVA)}`,
    ]);
  });

  it('end in the SMMU: the address stands in the text, the stream in the record', () => {
    assert.deepEqual(last(2, ...machine, raise, failed(IOVA), record, unanswered(IOVA)), [
      FAULT,
      `drop ${ENTRY} reason=SMMU_EVT_F_TRANSLATION for the doorbell address ${hex(IOVA)}`,
    ]);
  });

  it('end in the SMMU in a log without its records: the region names a stream that a translation has shown', () => {
    assert.deepEqual(last(2, ...machine, translated, raise, failed(IOVA), unanswered(IOVA)), [
      FAULT,
      `drop ${ENTRY} reason=SMMU_EVT_F_TRANSLATION for the doorbell address ${hex(IOVA)}`,
    ]);
    // A region that no translation has shown: the stream is not known, the entry is that of the cause.
    assert.deepEqual(last(2, ...machine, raise, failed(IOVA), unanswered(IOVA)), [
      `message log text=${failed(IOVA).slice(1)}`,
      `drop ${ENTRY} reason=SMMU_EVT_F_TRANSLATION for the doorbell address ${hex(IOVA)}`,
    ]);
  });

  it('of a function whose entries hold the same address belong to the function when no cause was told', () => {
    const two = [...machine, ...entry(0x10000000, 1, IOVA)];
    assert.deepEqual(last(1, ...machine, unanswered(IOVA)), [
      `drop ${ENTRY} reason=nobody answers the write to ${hex(IOVA)}`,
    ]);
    assert.deepEqual(last(1, ...two, unanswered(IOVA)), [
      `drop device/0000:00:03.0 reason=nobody answers the write to ${hex(IOVA)}`,
    ]);
  });

  it('are none where no entry holds the address, or only a masked one: an access of other memory', () => {
    for (const lines of [
      [...machine, raise, unanswered(0xa000000)],
      [...machine, ...entry(0x10000000, 2, IOVA, 1), raise, unanswered(IOVA)],
      [...machine, failed(0xa000000), record, unanswered(0xa000000)],
    ])
      assert.match(last(1, ...lines)[0]!, /^message log text=Invalid write/);
  });

  it('the old form of the text, without a blank, is the same', () => {
    const old = failed(IOVA).replace(' (SMMU', '(SMMU');
    assert.deepEqual(last(2, ...machine, raise, old, record, unanswered(IOVA))[0], FAULT);
  });
});

describe('refusals of the ITS', () => {
  const write6 =
    'gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x6 size 4 requester_id 0x18';
  const discard = 'gicv3_its_cmd_discard GICv3 ITS: command DISCARD DeviceID 0x20 EventID 0x1';
  const mapd = 'gicv3_its_cmd_mapd GICv3 ITS: command MAPD DeviceID 0x20 Size 0x1f ITT_addr 0x47349a V 1';
  const EVENT = 'its/0/device/0x18/event/6';
  const rows: readonly (readonly [before: string, text: string, object: string, reason: string])[] = [
    [write6, 'do_process_its_cmd: invalid command attributes: invalid ITE', EVENT, 'EventID is not mapped (no MAPTI)'],
    [
      write6,
      'do_process_its_cmd: invalid command attributes: invalid dte for 24',
      EVENT,
      'DeviceID is not mapped (no MAPD)',
    ],
    [
      write6,
      'do_process_its_cmd: invalid command attributes: devid 24>=16',
      EVENT,
      'DeviceID 0x18 is out of range: the device table has 16',
    ],
    [write6, 'do_process_its_cmd: invalid CTE', EVENT, 'its collection is not mapped (no MAPC)'],
    [write6, 'do_process_its_cmd: invalid ICID 0x9 in ITE (table corrupted?)', EVENT, 'collection 0x9 is out of range'],
    [
      discard,
      'do_process_its_cmd: invalid command attributes: invalid ITE',
      'its/0/device/0x20/event/1',
      'EventID is not mapped (no MAPTI)',
    ],
    [mapd, 'ITS MAPD: invalid size 31', 'its/0/device/0x20', 'invalid size 31'],
  ];
  for (const [before, text, object, reason] of rows)
    it(`${text}, after ${before.replace(/ .*/, '')}`, () => {
      assert.deepEqual(last(1, before, `!${text}`), [`its.error ${object} text=${text} reason=${reason}`]);
    });
});

describe('the teaching device', () => {
  const machine = [
    'pci_update_mappings_add edu 00:06.0 0,0x10000000+0x100000',
    'pci_cfg_read edu 00:06.0 @0x34 -> 0x40',
    'pci_cfg_read edu 00:06.0 @0x40 -> 0x800005',
  ];
  const region = (offset: number, value = 0x5a): string =>
    `memory_region_ops_write cpu 1 mr 0x9 addr ${hex(0x10000000 + offset)} value ${hex(value)} size 4 name 'edu-mmio'`;
  const msi = (value: number): string => `pci_cfg_write edu 00:06.0 @0x42 <- ${hex(value)}`;

  it('raises by MSI where that is on, else by its pin', () => {
    assert.deepEqual(last(1, ...machine, msi(0x81), region(0x60)), ['dev.raise device/0000:00:06.0/msi vector=0']);
    assert.deepEqual(last(1, ...machine, msi(0x81), msi(0x80), region(0x60)), [
      'dev.intx device/0000:00:06.0 level=true',
    ]);
  });

  it('raises nothing by other registers, or by a write of 0', () => {
    for (const line of [region(0x64), region(0x60, 0), region(0x98)])
      assert.match(last(1, ...machine, msi(0x81), line)[0]!, /^cfg\.write /);
  });
});
