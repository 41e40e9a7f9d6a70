// The rules about doorbells, the SMMU and the ITS, each on a trace that breaks it and on one that does not. That each finds its fault
// in a whole run, at the right step, is shown by planted.test.ts.
import assert from 'node:assert/strict';
import { found, judged, made, verdict } from './made.ts';

const FN = 'device/0000:00:03.0';
const E = `${FN}/msix`;
const STREAM = 'smmu/0/stream/0x18';
const EVENT = 'its/0/device/0x18/event';
const FAULT = 'event=SMMU_EVT_F_TRANSLATION reason=SMMU_EVT_F_TRANSLATION';
const setup = `
  1 cfg.read ${FN} offset=0x4 size=2 value=0x6
  1 cfg.read ${FN} offset=0x34 size=1 value=0x60
  1 cfg.read ${FN} offset=0x60 size=4 value=0x80030011
  2 tbl.write ${E}/1 offset=0x0 size=8 value=0x9000040
  2 tbl.write ${E}/1 offset=0x8 size=8 value=0x1`;
const raise = (time: number): string => `${time}/t dev.raise ${E}/1 vector=1`;
const fault = (time: number, iova?: string): string =>
  `${time}/t smmu.fault ${STREAM} ${iova === undefined ? '' : `iova=${iova} `}${FAULT}`;

describe('rules about SMMU and ITS', () => {
  describe('F70', () => {
    const LOST = `${E}/1: entry 1 of 0000:00:03.0 sent its message to 0x9000040, which its SMMU does not map (SMMU_EVT_F_TRANSLATION)`;

    it('a doorbell that no stage maps, by the address of the fault or by the cause just before', () => {
      assert.deepEqual(found(made(`${setup}\n${raise(10)}\n${fault(11, '0x9000040')}`), 'F70'), [`6 ${LOST}`]);
      assert.deepEqual(found(made(`${setup}\n${raise(10)}\n${fault(11)}`), 'F70'), [`6 ${LOST}`]);
      // The event that says that the message ended tells nothing new.
      const drop = `12 drop ${E}/1 reason="SMMU_EVT_F_TRANSLATION for the doorbell address 0x9000040"`;
      assert.equal(found(made(`${setup}\n${raise(10)}\n${fault(11)}\n${drop}`), 'F70').length, 1);
      assert.deepEqual(judged(made(`${setup}\n${raise(10)}\n${fault(11)}`), 'F70').findings[0]!.evidence, [4, 5]);
    });

    it('an access that is no message is a warning, once for a burst', () => {
      const burst = [0, 4, 8].map((n) => fault(20 + n, `0xa00000${n}`)).join('\n');
      const trace = made(`${setup}\n${raise(10)}\n11 send ${E}/1 address=0x8090040 data=0x1\n${burst}`);
      assert.deepEqual(found(trace, 'F70'), [
        `7 ${STREAM}: 0000:00:03.0 accessed 0xa000000, which its SMMU does not map (SMMU_EVT_F_TRANSLATION)`,
      ]);
      assert.equal(judged(trace, 'F70').findings[0]!.severity, 'warning');
    });

    it('a cause of long ago, of another thread, or whose message was sent is not the one of the fault', () => {
      const long = `${raise(10)}\n${fault(5000)}`;
      const thread = `${raise(10)}\n${fault(11).replace('/t', '/u')}`;
      const sent = `${raise(10)}\n11 send ${E}/1 address=0x8090040 data=0x1\n${fault(12)}`;
      for (const text of [long, thread, sent])
        assert.deepEqual(
          judged(made(`${setup}\n${text}`), 'F70').findings.map((f) => f.severity),
          ['warning'],
          text,
        );
    });

    it('address 0 is told as what it is', () => {
      const zero = `5 tbl.write ${E}/1 offset=0x0 size=8 value=0x0`;
      assert.deepEqual(found(made(`${setup}\n${zero}\n${raise(10)}\n${fault(11)}`), 'F70'), [
        `7 ${E}/1: entry 1 of 0000:00:03.0 sent its message to address 0, where no doorbell is (SMMU_EVT_F_TRANSLATION)`,
      ]);
    });

    it('a message that ended without a fault of the SMMU', () => {
      const drop = `12 drop ${E}/1 reason="nobody answers the write to 0x9000040"`;
      assert.equal(
        found(made(`${setup}\n0.5 smmu.trans ${STREAM} iova=0x0 output=0x0 perm=0x3\n${raise(10)}\n${drop}`), 'F70')
          .length,
        1,
      );
      // Bus Master Enable 0 is another fault; so is a message on a machine without an SMMU and an ITS.
      const master = `5 cfg.write ${FN} offset=0x4 size=2 value=0x2`;
      assert.deepEqual(
        found(
          made(`${setup}\n6 smmu.trans ${STREAM} iova=0x0 output=0x0 perm=0x3\n${master}\n${raise(10)}\n${drop}`),
          'F70',
        ),
        [],
      );
      assert.deepEqual(found(made(`${setup}\n${raise(10)}\n${drop}`), 'F70'), []);
    });

    it('accesses that are translated pass', () => {
      assert.equal(verdict(made(`1 smmu.trans ${STREAM} iova=0x9000040 output=0x8090040 perm=0x3`), 'INV-DB'), 'pass');
    });
  });

  describe('F75', () => {
    const trans = `20 its.trans ${EVENT}/6 device=0x18 event=0x6 size=4`;
    const error = `21 its.error ${EVENT}/6 text="do_process_its_cmd: invalid ITE" reason="EventID is not mapped (no MAPTI)"`;

    it('a translation that the ITS refuses is a lost interrupt', () => {
      const trace = made(
        `${setup}\n${raise(10)}\n19 send ${E}/1 address=0x8090040 data=0x6 requester=0x18\n${trans}\n${error}`,
      );
      assert.deepEqual(found(trace, 'INV-ITS'), [
        `8 ${EVENT}/6: A message of 0000:00:03.0 (DeviceID 0x18) is lost in the ITS: EventID 6 is not mapped (no MAPTI)`,
      ]);
      assert.match(
        judged(trace, 'F75').findings[0]!.text,
        /: the message of entry 1 of 0000:00:03\.0, which was last written 18\.000 µs before\./,
      );
      assert.deepEqual(judged(trace, 'F75').findings[0]!.evidence, [4, 5, 7]);
    });

    it('without such lines, the table entry that the ITS looked up tells it', () => {
      const looked = `21 its.ite ${EVENT}/6 write=false valid=false lpi=0 collection=0`;
      assert.deepEqual(found(made(`${trans}\n${looked}`), 'F75'), [
        `1 ${EVENT}/6: A message of DeviceID 0x18 is lost in the ITS: EventID 6 is not mapped (no MAPTI)`,
      ]);
      const device = '21 its.dte its/0/device/0x18 write=false valid=false size=0 itt=0x0';
      assert.match(found(made(`${trans}\n${device}`), 'F75')[0]!, /DeviceID is not mapped \(no MAPD\)/);
    });

    it('the table of the device may be too small, and the collection not mapped', () => {
      const at = (rest: string) =>
        found(made(`${trans}\n${rest}\n40 its.trans ${EVENT}/0 device=0x18 event=0x0 size=4`), 'F75');
      const dte = (size: number): string =>
        `21 its.dte its/0/device/0x18 write=false valid=true size=${size} itt=0x47000000`;
      const lost = `1 ${EVENT}/6: A message of DeviceID 0x18 is lost in the ITS`;
      assert.deepEqual(at(dte(1)), [`${lost}: EventID 6 is out of range: the table of the device has 4`]);
      assert.deepEqual(at(dte(2)), [], 'eight entries');
      const ite = `22 its.ite ${EVENT}/6 write=false valid=true lpi=8200 collection=3`;
      const cte = (id: number, valid: boolean): string =>
        `23 its.cte its/0/collection/${id} write=false valid=${valid} target=0`;
      const third = lost.replace('1 ', '3 ');
      assert.deepEqual(at(`${dte(2)}\n${ite}\n${cte(3, false)}`), [`${third}: collection 3 is not mapped (no MAPC)`]);
      assert.deepEqual(at(`${dte(2)}\n${ite}\n${cte(3, true)}`), []);
      assert.deepEqual(at(`${dte(2)}\n${ite}\n${cte(2, false)}`), [], 'another collection');
    });

    it('where words of the ITS are recorded too, a failed look-up that they do not follow is told once all the same', () => {
      const looked = `20 its.ite ${EVENT}/6 write=false valid=false lpi=0 collection=0`;
      const other = trans.replaceAll('/6', '/5').replace('0x6', '0x5').replace('20 ', '30 ');
      const refused = other.replace('30 its.trans', '31 its.error').replace(/ device=.*/, ' text="invalid ITE"');
      const title = `${EVENT}/6: A message of DeviceID 0x18 is lost in the ITS: EventID 6 is not mapped (no MAPTI)`;
      assert.equal(found(made(`${trans}\n${looked}\n${other}\n${refused}`), 'F75')[0], `1 ${title}`);
      assert.deepEqual(found(made(`${trans}\n${looked}\n${error}`), 'F75'), [`2 ${title}`], 'the words come next');
      assert.deepEqual(found(made(`${other}\n${refused}\n${trans.replace('20', '40')}\n${looked}`), 'F75').length, 2);
    });

    it('without lookups, what the commands left tells it', () => {
      const mapd = '1 its.mapd its/0/device/0x18 size=2 itt=0x47000000 valid=true';
      const mapti = `2 its.mapti ${EVENT}/6 lpi=8200 collection=0`;
      const discard = `3 its.discard ${EVENT}/6`;
      assert.deepEqual(found(made(`${mapd}\n${mapti}\n${trans}`), 'F75'), []);
      assert.match(found(made(`${mapd}\n${mapti}\n${discard}\n${trans}`), 'F75')[0]!, /EventID 6 is not mapped/);
      const mapc = (valid: boolean): string => `3 its.mapc its/0/collection/0 target=0 valid=${valid}`;
      assert.deepEqual(found(made(`${mapd}\n${mapti}\n${mapc(true)}\n${trans}`), 'F75'), []);
      assert.match(found(made(`${mapd}\n${mapti}\n${mapc(false)}\n${trans}`), 'F75')[0]!, /collection 0 is not mapped/);
      const small = mapd.replace('size=2', 'size=1');
      assert.match(
        found(made(`${small}\n${trans}`), 'F75')[0]!,
        /EventID 6 is out of range: the table of the device has 4/,
      );
      // An event of which no command was recorded may well be mapped.
      assert.deepEqual(found(made(trans), 'F75'), []);
    });

    it('a command that is refused is a warning', () => {
      const trace = made(
        `1 its.movi ${EVENT}/6 collection=7\n2 its.error ${EVENT}/6 text="process_movi: invalid CTE" reason="its collection is not mapped (no MAPC)"`,
      );
      assert.deepEqual(
        judged(trace, 'F75').findings.map((f) => [f.severity, f.title]),
        [['warning', 'The ITS refused MOVI: its collection is not mapped (no MAPC)']],
      );
    });
  });

  it('F76 a MAPD that the ITS refuses', () => {
    const trace = made('1 its.error its/0/device/0x10000 text="ITS MAPD: invalid device ID field 0x10000 >= 0x10000"');
    assert.equal(found(trace, 'F76').length, 1);
    assert.deepEqual(found(trace, 'F75'), []);
  });

  it('F75 words about a DeviceID without MAPD are no refused MAPD: of a message, or of another command', () => {
    const of = '1 its.mapd its/1/device/0x18 size=0 itt=0x0 valid=true\n';
    const trans = '2 its.trans its/0/device/0x18/event/1 device=0x18 event=1 size=4\n';
    const error = '3 its.error its/0/device/0x18/event/1 text="DeviceID is not mapped (no MAPD)"';
    const message = made(`${of}${trans}${error}`);
    assert.equal(found(message, 'F75').length, 1);
    assert.deepEqual(found(message, 'F76'), []);
    assert.match(judged(message, 'F75').findings[0]!.text, /its\/1 has this DeviceID mapped/);
    const int = made(
      '1 its.int its/0/device/0x18/event/1 set=true\n2 its.error its/0/device/0x18/event/1 text="process_its_cmd: invalid dte" reason="DeviceID is not mapped (no MAPD)"',
    );
    assert.equal(found(int, 'F75').length, 1);
    assert.deepEqual(found(int, 'F76'), []);
  });

  it('F77 an LPI that arrives after its event was discarded, and none after it was mapped again', () => {
    const mapped = `1 its.mapti ${EVENT}/1 lpi=8193 collection=0`;
    const discard = `2 its.discard ${EVENT}/1`;
    const late = '50 gic.ack cpu/0/intid/8193';
    assert.deepEqual(found(made(`${mapped}\n${discard}\n${late}`), 'INV-CACHE'), [
      `2 ${EVENT}/1: LPI 8193 arrived after EventID 1 of DeviceID 0x18 was discarded`,
    ]);
    const again = `3 its.mapti ${EVENT}/1 lpi=8193 collection=1`;
    assert.equal(verdict(made(`${mapped}\n${discard}\n${again}\n${late}`), 'F77'), 'pass');
    const device = '2 its.mapd its/0/device/0x18 size=0 itt=0x0 valid=false';
    assert.equal(found(made(`${mapped}\n${device}\n${late}`), 'F77').length, 1);
    // A cache that kept the old entry: the EventID has another LPI by now, and its old one belongs to another device.
    const reused = `3 its.mapti its/0/device/0x20/event/0 lpi=8193 collection=0\n4 its.mapti ${EVENT}/1 lpi=8200 collection=1`;
    const message = (at: number, lpi: number): string =>
      `${at} its.trans ${EVENT}/1 device=0x18 event=1 size=4\n${at} gic.pend cpu/0/intid/${lpi} pending=true\n${at + 1} gic.ack cpu/0/intid/${lpi}`;
    const swapped = `${mapped}\n${discard}\n${reused}`;
    assert.deepEqual(found(made(`${swapped}\n${message(50, 8193)}\n${message(60, 8193)}`, true), 'F77'), [
      `5 ${EVENT}/1: LPI 8193 arrived after EventID 1 of DeviceID 0x18 was discarded`,
    ]);
    assert.equal(verdict(made(`${swapped}\n${message(50, 8200)}`, true), 'F77'), 'pass');
    const freed = '45 its.discard its/0/device/0x20/event/0';
    assert.equal(
      found(made(`${swapped}\n${freed}\n${message(50, 8193)}`, true), 'F77')[0]?.split(':')[0],
      `6 ${EVENT}/1`,
      'not the one that had the LPI last',
    );
  });

  it('F72 an irq that is set up although nothing gives its address; F7A says why there is none', () => {
    const prepare = (ret: number): string =>
      `1 msi.prepare irq/25 provider=iommufd device=0000:00:05.0 index=1 doorbell=0x20210040 ret=${ret}`;
    const alloc = (ret: string): string => `2 dom.alloc irq/25 domain=ITS free=false${ret}`;
    assert.equal(verdict(made(`${prepare(-2)}\n${alloc(' ret=-2')}`), 'F72'), 'pass');
    assert.deepEqual(found(made(`${prepare(-2)}\n${alloc('')}`), 'F72'), [
      '1 irq/25: irq 25 goes on although there is no message address for it',
    ]);
    // A domain that could not program the irq did not set it up.
    const activate = (ret: string): string => `2 dom.activate irq/25 domain=ITS activate=true${ret}`;
    assert.equal(verdict(made(`${prepare(-2)}\n${activate(' ret=-22')}`), 'F72'), 'pass');
    assert.equal(found(made(`${prepare(-2)}\n${activate('')}`), 'F72').length, 1);
    assert.equal(found(made(prepare(-75)), 'F7A').length, 1);
    assert.equal(verdict(made(prepare(-2)), 'F7A'), 'pass');
  });

  it('F74 the physical doorbell in a message, where an I/O virtual address was prepared', () => {
    const prepare = (iova: string): string =>
      `1 msi.prepare irq/25 provider=iommufd device=0000:00:05.0 index=1 doorbell=0x20210040${iova}`;
    const write = (address: string): string => `2 msg.write irq/25 address=${address} data=0x1`;
    assert.equal(found(made(`${prepare(' iova=0xeeee0040')}\n${write('0x20210040')}`), 'F74').length, 1);
    assert.equal(verdict(made(`${prepare(' iova=0xeeee0040')}\n${write('0xeeee0040')}`), 'F74'), 'pass');
    // Without translation, the physical address is right.
    assert.deepEqual(found(made(`${prepare('')}\n${write('0x20210040')}`), 'F74'), []);
  });

  describe('F7D and F7E: the virtual IOMMU of a guest', () => {
    const V = 'iommufd/1/viommu/1';
    const [A, B] = ['0000:00:05.0', '0000:00:06.0'];
    const vdevice = (id: string, device: string, ret = 0): string =>
      `1 vdevice.alloc ${V}/vdevice/${id} device=${device} ret=${ret}`;
    const ste = (stream: string, device: string, ret = 0): string =>
      `2 guest.ste ${V}/stream/${stream} device=${device} config=translate ret=${ret}`;
    const wrong = `1 ${V}/vdevice/0x8: The virtual device of ${A} has the ID 0x8, and the guest names it 0x108`;

    it('F7D an ID by which the guest does not name the device', () => {
      assert.deepEqual(found(made(`${vdevice('0x8', A)}\n${ste('0x108', A)}`), 'F7D'), [wrong]);
      assert.equal(verdict(made(`${vdevice('0x108', A)}\n${ste('0x108', A)}`), 'F7D'), 'pass');
      // Once for a virtual device, however often the guest writes the entry.
      assert.deepEqual(found(made(`${vdevice('0x8', A)}\n${ste('0x108', A)}\n${ste('0x108', A)}`), 'F7D'), [wrong]);
      // Another device has the ID: the two are not mixed up.
      const both = `${vdevice('0x108', A)}\n${vdevice('0x110', B)}`;
      assert.equal(verdict(made(`${both}\n${ste('0x110', B)}\n${ste('0x108', A)}`), 'F7D'), 'pass');
      assert.equal(found(made(`${both}\n${ste('0x108', B)}\n${ste('0x110', A)}`), 'F7D').length, 2);
    });

    it('F7D only of what was not refused, and of virtual devices that are there', () => {
      assert.deepEqual(found(made(`${vdevice('0x8', A)}\n${ste('0x108', A, -2)}`), 'F7D'), []);
      assert.deepEqual(found(made(`${vdevice('0x8', A, -17)}\n${ste('0x108', A)}`), 'F7D'), []);
      const again = `${vdevice('0x8', A)}\n1 vdevice.destroy ${V}/vdevice/0x8\n${vdevice('0x108', A)}`;
      assert.deepEqual(found(made(`${again}\n${ste('0x108', A)}`), 'F7D'), []);
    });

    const read = (sequence: number, lost = false): string =>
      `5 veventq.read ${V}/veventq sequence=${sequence} lost=${lost}`;
    const lost = (step: number, many: string): string =>
      `${step} ${V}/veventq: ${many} of the guest of ${V} ${many.startsWith('1 ') ? 'was' : 'were'} lost: its queue was full`;
    const told = (...records: readonly string[]): string[] => found(made(records.join('\n')), 'F7E');

    it('F7E by the record that says so, and by a gap in the sequence numbers', () => {
      assert.equal(verdict(made(`${read(0)}\n${read(1)}`), 'F7E'), 'pass');
      assert.deepEqual(told(read(0), read(3, true)), [lost(1, '3 events')]);
      assert.deepEqual(told(read(0), read(2)), [lost(1, '1 event')]);
      // The note does not count what follows it twice.
      assert.deepEqual(told(read(0), read(3, true), read(4)), [lost(1, '3 events')]);
      assert.deepEqual(told(read(0), read(3, true), read(6)), [lost(1, '3 events'), lost(2, '2 events')]);
    });

    it('F7E after the highest number comes 0; the first record of a trace may have any', () => {
      assert.deepEqual(told(read(2 ** 31 - 1), read(0)), []);
      assert.deepEqual(told(read(2 ** 31 - 2), read(0)), [lost(1, '1 event')]);
      assert.deepEqual(told(read(7), read(8)), []);
      assert.deepEqual(told(read(7, true)), [lost(0, 'Events')]);
    });
  });
});
