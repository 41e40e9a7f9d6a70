// The rules about interrupt message storage, hypercalls and exported messages, each on a trace that breaks it and on one that does not.
// That each finds its fault in a whole run, at the right step, is shown by planted.test.ts.
import assert from 'node:assert/strict';
import { found, judged, made, verdict } from './made.ts';

const FN = 'device/0000:03:00.0';
const IMS = `${FN}/ims`;
const GUEST = '/guest-kernel/vm0.vcpu0';
const OTHER = '/guest-kernel/vm1.vcpu1';
const QUEUE = 'where="queue memory"';
/** A grant, with the hypercall that asked for it. */
const grant = (time: number, vm: number, n: number, address: string, release = false): string => `
  ${time} hcall kvm/${vm} number=0x7c
  ${time + 1} hcall.grant hypervisor/grant/${n} device=0000:03:00.0 address=${address} data=0x0 release=${release}
  ${time + 2} hcall.return kvm/${vm} number=0x7c ret=0`;
const store = (time: number, task: string, entry: number, address: string): string => `
  ${time}${task} ims.store ${IMS}/${entry} offset=0x0 size=8 value=${address} ${QUEUE}
  ${time}${task} ims.store ${IMS}/${entry} offset=0x8 size=4 value=0x0 ${QUEUE}`;

describe('rules about message storage', () => {
  it('F60 a guest that stores a message which no hypervisor granted', () => {
    const text = `${grant(1, 0, 0, '0xfee00318')}${store(10, GUEST, 0, '0xfee00338')}`;
    assert.deepEqual(found(made(text, true), 'INV-HCALL'), [
      `4 ${IMS}/0: vm0 stored 0xfee00338/0x0 in IMS entry 0 of 0000:03:00.0, which no hypervisor granted`,
    ]);
    assert.equal(judged(made(text, true), 'F60').findings[0]!.severity, 'security');
    assert.equal(
      verdict(made(`${grant(1, 0, 0, '0xfee00318')}${store(10, GUEST, 0, '0xfee00318')}`, true), 'F60'),
      'pass',
    );
    // A trace that need not show every grant cannot tell.
    assert.equal(verdict(made(text), 'F60'), 'undecidable');
  });

  it('F61 a message of another guest that is delivered', () => {
    const both = `${grant(1, 0, 0, '0xfee00318')}${grant(5, 1, 1, '0xfee00338')}`;
    const sent = (address: string, index: number): string => `
      20 send ${IMS}/8 address=${address} data=0x0 requester=0x300
      21 ir.request irte/dmar0/${index} address=${address} data=0x0 sid=0x300
      22 ir.remap irte/dmar0/${index} vector=33 dest=0x0`;
    const wrong = made(`${both}${store(10, OTHER, 8, '0xfee00318')}${sent('0xfee00318', 24)}`, true);
    assert.deepEqual(found(wrong, 'INV-OWN'), [
      `10 ${IMS}/8: IMS entry 8 of 0000:03:00.0 of vm1 raised an interrupt of vm0`,
    ]);
    assert.equal(
      verdict(made(`${both}${store(10, OTHER, 8, '0xfee00338')}${sent('0xfee00338', 25)}`, true), 'F61'),
      'pass',
    );
    // Refused by the unit: no breach.
    const refused = sent('0xfee00318', 24).replace(
      'ir.remap irte/dmar0/24 vector=33 dest=0x0',
      'ir.fault irte/dmar0/24 reason=38 sid=0x300',
    );
    assert.deepEqual(found(made(`${both}${store(10, OTHER, 8, '0xfee00318')}${refused}`, true), 'F61'), []);
  });

  it('F62 a message that is granted to another guest while the queue of the first holds it', () => {
    const first = `${grant(1, 0, 0, '0xfee00318')}${store(10, GUEST, 0, '0xfee00318')}${grant(20, 0, 0, '0xfee00318', true)}`;
    assert.deepEqual(found(made(`${first}${grant(50, 1, 1, '0xfee00318')}`, true), 'INV-REUSE'), [
      '9 hypervisor/grant/1: 0xfee00318/0x0 was granted to vm1 while IMS entry 0 of 0000:03:00.0 of vm0 still holds it',
    ]);
    // To the same guest again, or after the queue forgot it: right.
    assert.equal(verdict(made(`${first}${grant(50, 0, 1, '0xfee00318')}`, true), 'F62'), 'pass');
    const forgot = `${first}\n30 ims.free ${IMS}/0${grant(50, 1, 1, '0xfee00318')}`;
    assert.equal(verdict(made(forgot, true), 'F62'), 'pass');
  });

  describe('completion handles', () => {
    const control = (time: number, value: string): string =>
      `${time} ims.store ${IMS}/1 offset=0xc size=4 value=${value} where="device memory"`;
    const done = (time: number, status: string, handle = 1): string =>
      `${time} qd.complete ${FN}/queue/0 status=${status} pasid=261 handle=${handle}`;

    it('F63 an entry for another PASID, once for many descriptors', () => {
      const trace = made(`${control(1, '0x5008')}\n${done(2, '0x19')}\n${done(3, '0x19')}`);
      assert.deepEqual(found(trace, 'INV-PASID'), [
        `1 ${IMS}/1: IMS entry 1 of 0000:03:00.0 is for PASID 0x5, and a descriptor of PASID 0x105 named it`,
      ]);
      assert.equal(verdict(made(`${control(1, '0x105008')}\n${done(2, '0x1')}`), 'F63'), 'pass');
      // PASID enable is clear: any may use it.
      assert.equal(verdict(made(`${control(1, '0x5000')}\n${done(2, '0x1')}`), 'F63'), 'not-applicable');
    });

    it('F64 a handle that is not granted, or was given back', () => {
      assert.equal(found(made(`${control(1, '0x105008')}\n${done(2, '0x19', 7)}`), 'INV-HND').length, 1);
      const freed = made(`${control(1, '0x105008')}\n2 ims.free ${IMS}/1\n${done(40, '0x99')}`);
      assert.match(judged(freed, 'F64').findings[0]!.text, /was given back 38\.000 µs before/);
      // Of another PASID: that is F63.
      assert.equal(verdict(made(`${control(1, '0x5008')}\n${done(2, '0x19')}`), 'F64'), 'pass');
    });

    it('F66 a mask write that changes the PASID', () => {
      const trace = made(`${control(1, '0x105009')}\n${control(2, '0x0')}`);
      assert.deepEqual(found(trace, 'INV-AUX'), [
        `1 ${IMS}/1: IMS entry 1 of 0000:03:00.0 lost its PASID when it was unmasked`,
      ]);
      assert.equal(verdict(made(`${control(1, '0x105009')}\n${control(2, '0x105008')}`), 'F66'), 'pass');
      // A PASID that is set without touching the mask is what drivers do.
      assert.equal(verdict(made(`${control(1, '0x100008')}\n${control(2, '0x105008')}`), 'F66'), 'not-applicable');
    });
  });

  it('F65 no free entry', () => {
    assert.equal(found(made(`1 ims.refused ${FN} owner=queue/2 ret=-28`), 'F65').length, 1);
  });

  it('F67 vectors with the wrong kind of interrupt behind them', () => {
    const bind = (vector: number, rest: string): string => `1 vfio.bind vfio/vdev-0/2/${vector} ${rest}`;
    const wrong = [
      bind(0, 'backend=emulated eventfd=101 irq=24'),
      bind(0, 'backend=ims eventfd=101 irq=24'),
      bind(1, 'backend=ims eventfd=101'),
      `${bind(1, 'backend=ims eventfd=101 irq=24')}\n${bind(2, 'backend=ims eventfd=102 irq=24')}`,
    ];
    for (const text of wrong) assert.equal(found(made(text), 'INV-EMU').length, 1, text);
    const right = [
      bind(0, 'backend=emulated eventfd=101'),
      bind(1, 'backend=ims eventfd=101 irq=24'),
      `${bind(1, 'backend=ims eventfd=101 irq=24')}\n${bind(1, 'backend=ims')}\n${bind(2, 'backend=ims eventfd=102 irq=24')}`,
    ];
    for (const text of right) assert.equal(verdict(made(text), 'F67'), 'pass', text);
  });

  it('F68 hypercalls about interrupts that fail; others are none of its business', () => {
    const call = (number: string, ret: number): string =>
      `1 hcall kvm/0 number=${number}\n2 hcall.return kvm/0 number=${number} ret=${ret}`;
    assert.deepEqual(found(made(call('0x7e', 6)), 'INV-RETGT'), ['1 kvm/0: HVCALL_RETARGET_INTERRUPT failed with 0x6']);
    assert.equal(found(made(call('0x7c', -28)), 'F68').length, 1);
    assert.equal(verdict(made(call('0x7d', 0)), 'F68'), 'pass');
    assert.equal(verdict(made(call('0x5c', -1)), 'F68'), 'not-applicable');
  });

  it('F69 a peer that was not told of a new message before the old vector is freed', () => {
    const COPY = 'ntb/0000:17:00.0/peer/0/desc/1';
    const write = (time: number, data: string): string => `${time} msg.write irq/25 address=0xfee01000 data=${data}`;
    const publish = (time: number, data: string): string =>
      `${time} ntb.publish ${COPY} virq=25 offset=0x1000 data=${data}`;
    const freed = '50 vec.freeMoved irq/25 cpu=1 vector=32 managed=false';
    const before = `${write(1, '0x20')}\n${publish(2, '0x20')}\n${write(10, '0x21')}`;
    assert.deepEqual(found(made(`${before}\n${freed}`), 'INV-PUB'), [
      `3 ${COPY}: A peer still holds the old message of irq 25`,
    ]);
    assert.equal(verdict(made(`${before}\n${publish(11, '0x21')}\n${freed}`), 'F69'), 'pass');
    // The same message once more needs no word.
    assert.equal(
      verdict(made(`${write(1, '0x20')}\n${publish(2, '0x20')}\n${write(10, '0x20')}\n${freed}`), 'F69'),
      'pass',
    );
  });
});
