// Messages to the IMSIC of RISC-V (QEMU 10.0, virt with aia=aplic-imsic, Linux 6.12): which writes are those of a function.
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import { msgSend } from '../../../src/model/events/msix.ts';
import { interrupts } from '../../../src/query/interrupts/list.ts';
import { eventRow } from '../../../src/trace/row.ts';
import { fixtureTrace, grep } from '../../helpers/fixtures.ts';
import { qemuEvents } from '../samples.ts';

const NAME = 'riscv-aia/qemu.log';
/** The identity that the APLIC sends for the serial port: no function owns it. */
const SERIAL = 2;

describe('messages to an IMSIC', () => {
  it('are sent as often as the text shows writes of the same address and identity', () => {
    const written = new Map<string, number>();
    for (const { text } of grep(NAME, /memory_region_ops_write .* name 'riscv.imsic'/)) {
      const [, address, value] = /addr (0x[0-9a-f]+) value (0x[0-9a-f]+)/.exec(text)!;
      if (Number(value) === SERIAL) continue;
      written.set(`${address} ${value}`, (written.get(`${address} ${value}`) ?? 0) + 1);
    }
    const trace = fixtureTrace(NAME);
    const sent = new Map<string, number>();
    const row = eventRow(msgSend);
    for (let step = 0; step < trace.length; step++) {
      if (trace.table.kind(step) !== msgSend) continue;
      trace.table.read(step, row);
      const { address, data } = msgSend.read(row.words, row.at);
      const key = `0x${address(0).toString(16)} 0x${data.toString(16)}`;
      sent.set(key, (sent.get(key) ?? 0) + 1);
      assert.match(trace.world.path(row.object), /^device\//, `step ${step}`);
    }
    assert.deepEqual([...sent].sort(), [...written].sort());
    assert.ok(written.size > 20);
  });

  it('and by each entry as often as its device says that it raised it', () => {
    const trace = fixtureTrace(NAME);
    const rows = interrupts(trace, trace.length - 1).filter(({ row }) => row.raises !== null && row.raises > 0);
    for (const { row } of rows) assert.equal(row.sends, row.raises, row.entry ?? '');
    assert.ok(rows.length > 10);
  });

  it('what a virtual CPU writes is one only where an entry holds it; other registers of the page are none', () => {
    const write = (cpu: number, address: string, value: string): string =>
      `memory_region_ops_write cpu ${cpu} mr 0x1 addr ${address} value ${value} size 4 name 'riscv.imsic'`;
    assert.deepEqual(qemuEvents([write(0, '0x28004000', '0x1')], 0), []);
    assert.deepEqual(qemuEvents([write(-1, '0x28004000', '0x5')]), [
      'send message/0x28004000/0x5 address=0x28004000 data=0x5 size=4',
    ]);
    assert.deepEqual(qemuEvents([write(-1, '0x28004008', '0x5')], 0), []);
  });

  it('F05: Linux before 6.15 moves the MSI of a function that cannot be masked by one write after the other', () => {
    // Lines of the text: the address of another hart at 0x84, then the identity there at 0x8c; no mask, no disable in between.
    const [address] = grep(NAME, /pci_cfg_write ich9-ahci 00:09.0 @0x84 <- 0x28004000/);
    const [data] = grep(NAME, /pci_cfg_write ich9-ahci 00:09.0 @0x8c <- 0xb$/);
    const trace = fixtureTrace(NAME);
    const { findings } = checkTrace(trace, rules);
    assert.deepEqual(
      findings.map((f) => [f.rule.id, trace.world.path(f.object), trace.table.line(f.step)]),
      [['F05', 'device/0000:00:09.0/msi', data!.line]],
    );
    assert.ok(address!.line < data!.line);
  });
});
