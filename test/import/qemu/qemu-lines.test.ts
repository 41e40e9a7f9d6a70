// The lines of a QEMU log: prefixes of all versions, text between the records, names that are not known. Forms:
// scripts/tracetool/backend/log.py and util/log.c over their versions.
import assert from 'node:assert/strict';
import { viewEvent } from '../../../src/query/events.ts';
import { sample, wholly } from '../samples.ts';

const EVENT = 'vtd_inv_desc_iec granularity 0x1 index 0x14 mask 0x0';

function headOf(line: string): [time: string | null, task: string | undefined] {
  const { trace, events } = wholly(`${line}\n`);
  assert.equal(events.at(-1), 'iec.inv irte/0/20 global=false index=20 mask=0');
  const event = viewEvent(trace, trace.length - 1);
  return [event.time, event.task];
}

describe('prefixes of QEMU log lines', () => {
  it('thread id and microseconds', () => {
    assert.deepEqual(headOf(`30205@1795148652.544566:${EVENT}`), ['1795148652.544566', '30205']);
    assert.deepEqual(headOf(`1@0.000000:${EVENT}`), ['0.000000', '1']);
    assert.deepEqual(headOf(`4194304@1795148652.544566:${EVENT}  `), ['1795148652.544566', '4194304']);
  });

  it('ISO 8601, with and without a fraction, in any zone', () => {
    const epoch = (text: string): string => (Date.parse(text) / 1000).toFixed(0);
    const day = '2026-02-03T10:11:12';
    assert.deepEqual(headOf(`${day}.345678Z ${EVENT}`), [`${epoch(`${day}Z`)}.345678`, undefined]);
    assert.deepEqual(headOf(`${day}Z ${EVENT}`), [epoch(`${day}Z`), undefined]);
    assert.deepEqual(headOf(`${day}.5+02:00 ${EVENT}`), [`${epoch(`${day}+02:00`)}.5`, undefined]);
    assert.deepEqual(headOf(`${day}.000001-0730 ${EVENT}`), [`${epoch(`${day}-07:30`)}.000001`, undefined]);
    for (const date of ['1970-01-01T00:00:00', '2000-02-29T23:59:59', '2100-03-01T00:00:00', '2026-12-31T12:00:00'])
      assert.equal(headOf(`${date}Z ${EVENT}`)[0], epoch(`${date}Z`));
  });

  it('the fraction is printed only when it is not zero: all stamps get the digits of the longest', () => {
    const { info } = wholly(`2026-02-03T10:11:12Z ${EVENT}\n2026-02-03T10:11:12.250000Z ${EVENT}\n`);
    assert.match(info.start!, /^\d+\.000000$/);
    assert.match(info.end!, /^\d+\.250000$/);
    assert.match(info.variant, /^ISO 8601 time stamp$/);
  });

  it('stamps that go back: pieces of logs in a wrong order are told, threads that print late are not', () => {
    const variant = (...stamps: readonly string[]): string =>
      wholly(`${stamps.map((stamp) => `7@${stamp}:${EVENT}`).join('\n')}\n`).info.variant;
    assert.equal(variant('10.000002', '10.000001', '11.500000', '10.500000'), 'thread id and time stamp');
    assert.equal(
      variant('57.000000', '58.000000', '10.000000', '11.000000', '9.999999', '8.000000'),
      'thread id and time stamp, 3 times a stamp more than a second older than the one before',
    );
  });

  it('none at all', () => {
    assert.deepEqual(headOf(EVENT), [null, undefined]);
    const { info } = wholly(`${EVENT}\n${EVENT}\n`);
    assert.deepEqual([info.clock, info.start, info.end, info.variant], ['none', null, null, 'no time stamps']);
  });

  it('threads are kept apart: what one was doing does not mix with another', () => {
    const { events } = wholly(
      [
        '7@1.000001:pci_cfg_write nvme 00:03.0 @0x42 <- 0xc005',
        '8@1.000002:pci_cfg_write nvme 00:04.0 @0x42 <- 0x8005',
        '7@1.000003:msix_write_config dev nvme enabled 1 masked 1',
        '8@1.000004:msix_write_config dev nvme enabled 1 masked 0',
      ].join('\n'),
    );
    assert.deepEqual(events.slice(-2), [
      'msix.ctrl device/0000:00:03.0 enable=true fmask=true',
      'msix.ctrl device/0000:00:04.0 enable=true fmask=false',
    ]);
  });

  it('what only looks like a prefix is none', () => {
    for (const line of ['30205@1795148652:x y', '30205@.5:x y', '@1.5:x y', '5@1.:x y']) {
      const { info } = sample(`${EVENT}\n${line}\n`);
      assert.equal(info.understood, 1, line);
      assert.equal(
        Object.values(info.others).reduce((a, b) => a + b, 0),
        1,
        line,
      );
    }
  });
});

describe('between QEMU log records', () => {
  it('messages of guest_errors are kept, other text is only counted', () => {
    const texts = [
      "Invalid write at addr 0xFFFFF040, size 4, region '(null)', reason: rejected",
      'gicv3_its_read: invalid guest read at offset 0000000000000040 size 4',
      'smmuv3-iommu-memory-region-24-2 translation failed for iova=0x9000040 (SMMU_EVT_F_TRANSLATION)',
      'vtd_iova_to_slpte: detected splte reserve non-zero iova=0x1000',
    ];
    const { events, info } = wholly(`1@1.000000:${EVENT}\n${texts.join('\n')}\nhello world\nahci: IRQ#0 level:1\n\n`);
    assert.deepEqual(
      events.slice(2),
      texts.map((t) => `message log text=${t}`),
    );
    assert.deepEqual(info.others, { message: 4, text: 2, blank: 1 });
    assert.equal(info.records, 1);
  });

  it('a refusal of the ITS belongs to the translation just before', () => {
    const { events, trace } = wholly(
      [
        '5@1.000001:gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x3fff size 4 requester_id 0x18',
        'do_process_its_cmd: invalid command attributes: eventid 16383 >= 8',
      ].join('\n'),
    );
    assert.deepEqual(events, [
      'its.trans its/0/device/0x18/event/16383 device=0x18 event=0x3fff size=4',
      'its.error its/0/device/0x18/event/16383 text=do_process_its_cmd: invalid command attributes: eventid 16383 >= 8 reason=EventID 16383 is out of range: the table of the device has 8',
    ]);
    assert.equal(viewEvent(trace, 1).time, null, 'such lines have no stamp');
  });

  it('names that are not known are counted by name, with and without stamps', () => {
    assert.deepEqual(sample(`1@1.000000:${EVENT}\n1@1.000001:some_new_event a 1\n`).info.unknown, {
      some_new_event: 1,
    });
    assert.deepEqual(sample(`${EVENT}\nsome_new_event a 1\n`).info.unknown, { some_new_event: 1 });
  });

  it('names known to be without effect are counted as understood', () => {
    const { info, events } = wholly(
      `1@1.000000:vtd_inv_qi_fetch \n1@1.000001:vtd_inv_qi_head read head 5\n1@1.000002:vtd_context_cache_reset \n`,
    );
    assert.deepEqual(events, []);
    assert.equal(info.understood, 3);
    assert.deepEqual(info.withoutEffect, { vtd_context_cache_reset: 1, vtd_inv_qi_fetch: 1, vtd_inv_qi_head: 1 });
  });

  it('a stamp without a name, and arguments that no version prints, are skipped with that reason', () => {
    const { info, events } = sample(
      `1@1.000000:\n1@1.000001:: x\n1@1.000002:vtd_ir_remap_msi_req addr 0xfee00298\n1@1.000003:memory_region_ops_write mr 0x1\n1@1.000004:${EVENT}\n`,
    );
    assert.deepEqual(info.skipped, {
      'no event name behind the stamp': 2,
      'vtd_ir_remap_msi_req: arguments not as expected': 1,
      'memory_region_ops_write: arguments not as expected': 1,
    });
    assert.equal(events.length, 2);
  });
});
