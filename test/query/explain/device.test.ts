// Pasted messages and registers of a device. Expected fields are worked out by hand from the layouts, or stand beside the value in a capture.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { has, kinds, one } from './read.ts';

const root = resolve(import.meta.dirname, '../../..');

describe('explain: messages', () => {
  it('VT-d remappable format', () => {
    const reading = one('0xfee004b8/0', 'vtd');
    has(reading, { format: true, shv: true, handle: 0x25, subhandle: 0, index: 0x25 });
    assert.equal(reading.value, '0xfee004b8/0x0');
    has(one('0xfee1463c/0x0', 'vtd'), { handle: 0x8a31, index: 0x8a31 });
    has(one('0xfee004b8/3', 'vtd'), { subhandle: 3, index: 0x28 });
    assert.equal(kinds('0xfee004b8/0')[0], 'vtd');
  });

  it('compatibility format', () => {
    const reading = one('0xfee01004/0x4023', 'compat');
    has(reading, {
      dest: 1,
      destMode: true,
      redirectionHint: false,
      vector: 0x23,
      deliveryMode: 0,
      trigger: false,
      level: true,
    });
    has(reading, { destination: 1 });
    assert.equal(reading.text, 'vector 35 (0x23) to logical destination 1, Fixed, edge');
    assert.deepEqual(kinds('0xfee01004/0x4023').slice(0, 1), ['compat']);
  });

  it('AMD-Vi: the data is the index', () => {
    has(one('0xfee00000/0x8', 'amd'), { index: 8 });
    // 8 is no vector that a device can have, 0x21 is one.
    assert.deepEqual(kinds('0xfee00000/0x8'), ['amd', 'compat']);
    assert.deepEqual(kinds('0xfee00000/0x21'), ['compat', 'amd']);
  });

  it('ITS and GICv2m: the address is a doorbell', () => {
    has(one('0x8000040/0x3', 'its'), { eventId: 3, doorbell: '0x8000040', atDoorbell: true });
    assert.deepEqual(kinds('0x8000040/3'), ['its']);
    assert.deepEqual(kinds('0x8020040/0x50'), ['its', 'gicv2m']);
    assert.deepEqual(kinds('0x1234/5'), ['its']);
    assert.match(one('0x1234/5', 'its').text, /not at page offset 0x40/);
  });

  it('as message: the likeliest, which the text names', () => {
    const reading = one('0xfee004b8/0', 'message');
    assert.equal(reading.kind, 'message');
    assert.match(reading.text, /^message in VT-d remappable format: IRTE 37/);
    assert.match(one('0/0', 'message').text, /^no message/);
    assert.deepEqual(kinds('0/0'), ['message']);
  });

  it('reserved bits are named', () => {
    assert.match(one('0xfee004b8/0x10000', 'vtd').text, /fault 0x20/);
    assert.deepEqual(kinds('0xfee004b8/0x21').slice(0, 1), ['vtd']);
  });

  it('forms in which they are pasted', () => {
    for (const text of [
      '0xFEE004B8 / 0X0',
      'fee004b8/0000',
      '0xfee0_04b8/0x0',
      '0x00000000 0xfee004b8/0x00000000',
      'address_hi: 0x00000000 address_lo: 0xfee004b8 msg_data: 0x00000000',
      'address_hi: 0x00000000\n  address_lo: 0xfee004b8\n  msg_data:   0x00000000',
      'Address: 00000000fee004b8  Data: 0000',
      'addr 0xfee004b8 data 0x0',
      '0xfee004b8 0x0',
      '(`0xfee004b8`, `0x0u`)',
    ]) {
      const reading = one(text, 'vtd');
      assert.equal(reading.value, '0xfee004b8/0x0', text);
      assert.equal(reading.fields['index'], 0x25, text);
    }
  });

  it('every message of the example capture names the entry that QEMU reads for it', () => {
    const lines = readFileSync(join(root, 'examples/x86-vtd-qemu.log'), 'latin1').split('\n');
    let seen = 0;
    for (const [i, line] of lines.entries()) {
      const request = /vtd_ir_remap_msi_req addr (0x[0-9a-f]+) data (0x[0-9a-f]+)/.exec(line);
      const entry = /vtd_ir_irte_get index (\d+) low (0x[0-9a-f]+) high (0x[0-9a-f]+)/.exec(lines[i + 1] ?? '');
      const remap = /vtd_ir_remap index (\d+) trigger (\d) vector (\d+) deliver (\d) dest (0x[0-9a-f]+) mode (\d)/.exec(
        lines[i + 2] ?? '',
      );
      if (!request || !entry || !remap) continue;
      seen++;
      has(one(`${request[1]}/${request[2]}`, 'vtd'), { index: Number(entry[1]) });
      const irte = one(`index ${entry[1]} low ${entry[2]} high ${entry[3]}`, 'irte');
      has(irte, {
        vector: Number(remap[3]),
        trigger: remap[2] === '1',
        deliveryMode: Number(remap[4]),
        destMode: remap[6] === '1',
      });
      // The unit of the capture is in xAPIC mode: the APIC id lies in bits 15:8.
      assert.equal(Number(irte.fields['dest']) / 256, Number(remap[5]), line);
    }
    assert.ok(seen > 3000, `${seen} deliveries`);
  });
});

describe('explain: registers of a device', () => {
  it('MSI-X Message Control', () => {
    has(one('0xc080', 'msix-control'), { enable: true, fmask: true, size: 0x80, entries: 129 });
    assert.equal(kinds('0xc080')[0], 'msix-control');
    assert.match(one('0x2000', 'msix-control').text, /; reserved bits 13:11 are set$/);
  });

  it('MSI Message Control', () => {
    // Enabled, 8 vectors asked for, 1 granted, 64-bit address, maskable.
    has(one('0x187', 'msi-control'), {
      enable: true,
      vectorsCapable: 8,
      vectorsEnabled: 1,
      address64: true,
      maskable: true,
    });
    assert.equal(kinds('0x187')[0], 'msi-control');
  });

  it('Command', () => {
    has(one('0x406', 'command'), { memory: true, busMaster: true, intxDisable: true, io: false });
    assert.equal(kinds('0x406')[0], 'command');
    assert.match(one('2', 'command').text, /bus master off/);
  });

  it('permission entry and IMS control', () => {
    has(one('0x00012008', 'permission'), { pasid: 0x12, pasidEnable: true, ignore: false });
    has(one('0x00012009', 'ims'), { mask: true, pending: false, pasidEnable: true, pasid: 0x12 });
    // Bit 0 is reserved in a permission entry.
    assert.deepEqual(kinds('0x00012008').slice(0, 2), ['permission', 'ims']);
    assert.ok(!kinds('0x00012009').includes('permission'));
  });

  it('entries of four dwords', () => {
    const reading = one('0xfee004b8 0x0 0x0 0x00012009', 'ims');
    has(reading, { address: '0xfee004b8', data: 0, mask: true, pasid: 0x12 });
    has(one('fee004b8 00000000 00000021 00000001', 'msix-entry'), { address: '0xfee004b8', data: 0x21, mask: true });
    assert.equal(kinds('0xfee004b8 0x0 0x0 0x1')[0], 'msix-entry');
  });
});
