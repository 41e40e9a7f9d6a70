// Pasted entries, descriptors, commands, fault reasons and hwirqs. Expected fields are worked out by hand from the layouts.
import assert from 'node:assert/strict';
import { grep } from '../../helpers/fixtures.ts';
import { has, kinds, one, refusal } from './read.ts';

describe('explain: remapping', () => {
  it('VT-d entry, remapped', () => {
    const fields = {
      present: true,
      redirectionHint: true,
      vector: 0x21,
      dest: 0x100,
      sid: 0x18,
      svt: 1,
      sq: 0,
      posted: false,
    };
    for (const text of [
      '0000000000040018\t0000010000210009',
      '0x40018 0x0000010000210009',
      '0x00000000000400180000010000210009',
      '400180000010000210009',
      'irte_high: 0x40018 irte_low: 0x10000210009',
      'lo=0x10000210009 hi=0x40018',
    ]) {
      const reading = one(text, 'irte');
      assert.equal(reading.value, '0x400180000010000210009', text);
      has(reading, { ...fields, requester: '0000:00:03.0' });
    }
    assert.match(one('0x40018 0x10000210009', 'irte').text, /APIC id 1 \(xAPIC\) or 256 \(x2APIC\)/);
    assert.equal(kinds('0000000000040018 0000010000210009')[0], 'irte');
  });

  it('VT-d entry: the source is a requester only while the source is verified', () => {
    // The high half is SVT in bits 83:82, SQ in 81:80, SID in 79:64: bits 19:18, 17:16, 15:0 of it.
    const high = (svt: number) => `0x${((svt << 18) | 0x18).toString(16)}`;
    for (const [svt, requester] of [
      [0, null],
      [1, '0000:00:03.0'],
      [2, null],
      [3, null],
    ] as const)
      has(one(`${high(svt)} 0x10000210009`, 'irte'), { svt, sid: 0x18, requester });
  });

  it('VT-d entry, posted: the address of the descriptor is in two parts', () => {
    // hi[63:32] = 0x1, lo[63:38] = 0x12345680 >> 6
    const low = (0x1234_5680n << 32n) | 0x0041_8001n;
    const reading = one(`0x0000000100040018 0x${low.toString(16)}`, 'irte');
    has(reading, { posted: true, vector: 0x41, descriptor: '0x112345680', sid: 0x18 });
    assert.match(reading.text, /posts vector 65/);
  });

  it('AMD-Vi entries', () => {
    // 32 bit: valid, destination 3, vector 0x21.
    has(one('0x00210301', 'amd-irte'), { present: true, dest: 3, vector: 0x21, destMode: false });
    // 128 bit, remapped: vector 0x31, destination 0x02000105.
    has(one('0x0200000000000031 0x0000000000010501', 'amd-irte'), {
      vector: 0x31,
      destination: 0x02000105,
      guestMode: false,
    });
    // Guest: vAPIC page 0x12345000, GATag 0x10002, running on APIC id 4.
    const guest = one('0x0000000012345041 0x00010002000004c1', 'amd-irte');
    has(guest, { guestMode: true, isRun: true, vector: 0x41, gaTag: 0x10002, destination: 4, vapicPage: '0x12345000' });
    assert.equal(kinds('0x0200000000000031 0x0000000000010501')[0], 'amd-irte');
  });

  it('interrupt entry cache invalidation', () => {
    const reading = one('0x2500000014', 'iec');
    has(reading, { type: 4, granularity: true, mask: 0, index: 0x25 });
    assert.equal(kinds('0x2500000014')[0], 'iec');
    for (const text of ['0x2500000014 0x0 0x0 0x0', '0x0 0x2500000014', 'qw1 0x0 qw0 0x2500000014', '2500000014ULL'])
      assert.equal(one(text, 'iec').fields['index'], 0x25, text);
    assert.match(one('0x4', 'iec').text, /all cached entries/);
    // Mask 2: 4 entries, the low bits of the index ignored.
    assert.match(one('0x2510000014', 'iec').text, /entries 36 \(0x24\) to 39/);
  });

  it('posted-interrupt descriptor', () => {
    const control = one('0x00000100_00f20001', 'pi-descriptor');
    has(control, { on: true, sn: false, nv: 0xf2, ndst: 0x100 });
    assert.equal(kinds('0x0000010000f20001')[0], 'pi-descriptor');
    // Vectors 33 (word 0) and 65 (word 1) posted.
    const whole = one(`0x200000000 0x2 0 0 0x0000010000f20001 0 0 0`, 'pi-descriptor');
    has(whole, { pir: '33 65', on: true, nv: 0xf2 });
    const number = `0x${'0'.repeat(48)}0000010000f20001${'0'.repeat(32)}00000000000000020000000200000000`;
    has(one(number, 'pi-descriptor'), { pir: '33 65', nv: 0xf2 });
  });

  it('fault reasons, in hexadecimal and as decimal numbers', () => {
    for (const text of ['0x22', '22', '34', 'fault reason 0x22', '[fault reason 34]']) {
      const reading = one(text, 'fault');
      assert.equal(reading.value, '0x22', text);
      assert.match(reading.text, /^Present field in the IRTE entry is clear/);
    }
    assert.match(one('0x25', 'fault').text, /compatibility format/);
    has(one('38', 'fault'), { reason: 0x26, fpdSuppresses: true });
    for (let code = 0x20; code <= 0x26; code++)
      assert.equal(one(`0x${code.toString(16)}`, 'fault').fields['reason'], code);
    assert.equal(kinds('0x22')[0], 'fault');
    has(one('0x10a04', 'fault'), { command: 'MAPTI' });
    assert.match(refusal('0x50', 'fault'), /0x50 is no fault reason/);
  });
});

describe('explain: records and rows that hold a value', () => {
  it('rows of the remapping table in debugfs', () => {
    const remapped = one(' 37     00:03.0  00000100 21  0000000000040018\t0000010000210009', 'irte');
    has(remapped, { vector: 0x21, requester: '0000:00:03.0', posted: false });
    const posted = one(' 38     65:00.0  00000001 12345680 41  0000000100046500\t1234568000418001', 'irte');
    has(posted, { vector: 0x41, requester: '0000:65:00.0', descriptor: '0x112345680' });
  });

  it('every row of a table that a kernel printed: source, destination and vector as the kernel took them apart', () => {
    const rows = grep('x86-x2apic/ir_translation_struct.txt', /^ \d+ .*\t[0-9a-f]{16}/);
    assert.ok(rows.length > 10);
    for (const { text } of rows) {
      const [, source, dest, vector] = text.trim().split(/\s+/);
      const reading = one(text, 'irte');
      has(reading, {
        requester: `0000:${source}`,
        dest: Number.parseInt(dest!, 16),
        vector: Number.parseInt(vector!, 16),
        present: true,
        posted: false,
      });
      assert.equal(kinds(text)[0], 'irte');
    }
  });

  it('lines of QEMU and of the kernel', () => {
    const line = (text: string) => `30197@1795148664.599501:${text}`;
    has(one(line('vtd_ir_irte_get index 20 low 0x40018 high 0x210009'), 'irte'), { vector: 0x21, sid: 0x18 });
    has(one(line('vtd_ir_remap_msi_req addr 0xfee00298 data 0x0'), 'vtd'), { index: 20 });
    has(one('vfio_msi_interrupt  (0000:01:00.0) vector 2 0xfee004b8/0x0', 'vtd'), { index: 0x25 });
    const queued =
      '          <idle>-0       [000] d..2.     0.347791: qi_submit: iec_inv dmar0: 0x2500000014 0x0 0x0 0x0';
    has(one(queued, 'iec'), { index: 0x25 });
    assert.equal(kinds(queued)[0], 'iec');
    const refused =
      'DMAR: [INTR-REMAP] Request device [00:03.0] fault index 0x25 [fault reason 0x22] Present field in the IRTE entry is clear';
    assert.deepEqual(kinds(refused), ['fault'], 'a record tells what its value is');
    const decimal =
      'DMAR: [INTR-REMAP] Request device [42:00.2] fault index 1600 [fault reason 37] Blocked a compatibility format';
    assert.deepEqual(kinds(decimal), ['fault']);
    assert.equal(one(decimal, 'fault').value, '0x25');
    assert.deepEqual(kinds(' hwirq:   0x250000'), ['hwirq']);
    assert.deepEqual(kinds('vtd_ir_irte_get index 21 low 0x40018 high 0x210009'), ['irte']);
    assert.deepEqual(kinds('vtd_ir_remap_msi_req addr 0xfee002b8 data 0x0'), ['vtd']);
    assert.equal(one(refused, 'fault').value, '0x22');
    has(one(' hwirq:   0x250000', 'hwirq'), { intelIrIndex: 0x25 });
  });
});

describe('explain: ITS commands', () => {
  it('MAPTI, whole and its first word alone', () => {
    const whole = one('0x000001000000000a 0x0000200300000003 0x2', 'its-command');
    has(whole, { command: 'MAPTI', deviceId: 0x100, eventId: 3, pintid: 8195, icid: 2, device: '0000:01:00.0' });
    has(one('0x000001000000000a', 'its-command'), {
      command: 'MAPTI',
      deviceId: 0x100,
      eventId: null,
      pintid: null,
      icid: null,
    });
    assert.equal(kinds('0x000001000000000a')[0], 'its-command');
    assert.equal(kinds('0x000001000000000a 0x0000200300000003 0x2')[0], 'its-command');
  });

  it('MAPD: the table', () => {
    // Size 4 (32 events), ITT at 0x43210000, valid.
    has(one('0x1000000008 0x4 0x8000000043210000', 'its-command'), {
      command: 'MAPD',
      itt: '0x43210000',
      events: 32,
      valid: true,
    });
  });

  it('what is no command', () => {
    assert.match(refusal('0x2', 'its-command'), /there is no ITS command 0x2/);
  });
});

describe('explain: hwirq', () => {
  it('one domain of all devices, decimal as /proc/interrupts prints it', () => {
    const reading = one('524288', 'hwirq');
    has(reading, { domain: 'PCI-MSI', device: '0000:01:00.0', index: 0, intelIrIndex: 8 });
    assert.equal(reading.value, '0x80000');
    // 114688, 180225 and 131072: rows of a 5.x /proc/interrupts, xhci, iwlwifi queue 1, enp0s8f0.
    has(one('114688', 'hwirq'), { pciMsiDevice: '0000:00:07.0', pciMsiIndex: 0 });
    has(one('180225', 'hwirq'), { pciMsiDevice: '0000:00:0b.0', pciMsiIndex: 1 });
    has(one('131072', 'hwirq'), { pciMsiDevice: '0000:00:08.0', pciMsiIndex: 0 });
  });

  it('VMD: segments from 0x10000 on', () => {
    const vmd = (0x10000n << 27n) | (0xe100n << 11n) | 5n;
    has(one(vmd.toString(), 'hwirq'), { pciMsiDevice: '10000:e1:00.0', pciMsiIndex: 5 });
  });

  it('a domain of one device: the table index', () => {
    has(one('8', 'hwirq'), { domain: 'one device', index: 8, perDeviceIndex: 8, pciMsiDevice: null });
    has(one('2047', 'hwirq'), { index: 2047 });
    has(one('2048', 'hwirq'), { perDeviceIndex: null, pciMsiDevice: '0000:00:00.1', pciMsiIndex: 0 });
  });

  it('INTEL-IR: index and subhandle', () => {
    has(one('0x250000', 'hwirq'), { domain: 'INTEL-IR', index: 0x25, subhandle: 0 });
    has(one('0x250003', 'hwirq'), { intelIrIndex: 0x25, intelIrSubhandle: 3 });
  });

  it('AMD-IR: requester ID, also where the kernel extends the sign', () => {
    has(one('0x41000000', 'hwirq'), { domain: 'AMD-IR', device: '0000:41:00.0', subhandle: 0 });
    has(one('0xffffffffc1000001', 'hwirq'), { domain: 'AMD-IR', device: '0000:c1:00.0', subhandle: 1 });
  });

  it('GIC: LPIs and SPIs', () => {
    has(one('8201', 'hwirq'), { domain: 'GICv3', intid: 8201 });
    has(one('42', 'hwirq'), { gicIntid: 42 });
    assert.equal(kinds('8201')[0], 'hwirq');
  });
});
