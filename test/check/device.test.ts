// Rules about functions and their MSI-X tables, on traces made by hand: what breaks each rule, and what comes near it and does not.
import assert from 'node:assert/strict';
import { found, judged, made, verdict } from './made.ts';

const FN = 'device/0000:03:00.0';
const E0 = `${FN}/msix/0`;
const E1 = `${FN}/msix/1`;

/** Steps 0 to 8: memory decoded, bus master on, MSI-X on with four entries; entry 0 and 1 have a message and are not masked. */
const SETUP = `
  0 cfg.read ${FN} offset=0x4 size=2 value=0x406
  0 cfg.read ${FN} offset=0x34 size=1 value=0x60
  0 cfg.read ${FN} offset=0x60 size=4 value=0x80030011
  1 tbl.write ${E0} offset=0x0 size=8 value=0xfee00000
  1 tbl.write ${E0} offset=0x8 size=8 value=0x20
  1 tbl.write ${E1} offset=0x0 size=8 value=0xfee01000
  1 tbl.write ${E1} offset=0x8 size=8 value=0x21
  2 dev.raise ${E0} vector=0
  2 send ${E0} address=0xfee00000 data=0x20
`;
/** The step of the first line behind it. */
const FIRST = 9;

const fn = (text: string) => made(SETUP + text);
const whole = (text: string) => made(SETUP + text, true);
const MASK = (time: number, entry = E1) => `${time} tbl.write ${entry} offset=0xc size=4 value=0x1`;
const OPEN = (time: number, entry = E1) => `${time} tbl.write ${entry} offset=0xc size=4 value=0x0`;
const SEND = (time: number) => `${time} send ${E1} address=0xfee01000 data=0x21`;

describe('rules about functions', () => {
  const lostOnUnmask = `${MASK(10)}
    20 dev.raise ${E1} vector=1
    ${OPEN(30)}
    2000 tbl.read ${E0} offset=0xc size=4 value=0x0`;

  it('F01 a capture: no message within a millisecond of the unmask', () => {
    const trace = fn(lostOnUnmask);
    assert.deepEqual(found(trace, 'F01'), [
      `${FIRST + 2} ${E1}: entry 1 of 0000:03:00.0 was unmasked while pending and sent no message`,
    ]);
    assert.deepEqual(judged(trace, 'F01').findings[0]!.evidence, [FIRST + 1, FIRST + 3]);
    assert.match(judged(trace, 'F01').findings[0]!.text, /set 10\.000 µs before/);
  });

  it('F01 its message behind other events breaks nothing in a capture', () => {
    const trace = fn(`${MASK(10)}
      20 dev.raise ${E1} vector=1
      ${OPEN(30)}
      31 tbl.read ${E1} offset=0xc size=4 value=0x0
      ${SEND(32)}
      2000 tbl.read ${E0} offset=0xc size=4 value=0x0`);
    assert.deepEqual(found(trace, 'F01'), []);
    assert.equal(verdict(trace, 'F01'), 'pass');
  });

  it('F01 says nothing where events were lost behind the unmask, where messages are not shown, and with bus master off', () => {
    const short = fn(`${MASK(10)}\n20 dev.raise ${E1} vector=1\n${OPEN(30)}`);
    assert.deepEqual(
      [found(short, 'F01'), verdict(short, 'F01')],
      [[], 'not-applicable'],
      'the trace ends too early to tell',
    );
    const lost = fn(lostOnUnmask.replace('2000', '100 lost log count=3\n2000'));
    assert.deepEqual(found(lost, 'F01'), []);
    const silent = made(SETUP.replace(/.*send.*\n/, '') + lostOnUnmask);
    assert.equal(verdict(silent, 'F01'), 'undecidable');
    const off = fn(`5 cfg.write ${FN} offset=0x4 size=2 value=0x402\n${lostOnUnmask}`);
    assert.deepEqual(found(off, 'F01'), []);
  });

  it('F01 the function mask counts like the mask of the entry', () => {
    const trace = fn(`10 cfg.write ${FN} offset=0x62 size=2 value=0xc003
      20 dev.raise ${E1} vector=1
      30 cfg.write ${FN} offset=0x62 size=2 value=0x8003
      2000 tbl.read ${E0} offset=0xc size=4 value=0x0`);
    assert.deepEqual(found(trace, 'F01'), [
      `${FIRST + 2} ${E1}: entry 1 of 0000:03:00.0 was unmasked while pending and sent no message`,
    ]);
  });

  it('F01 a pending bit that is dropped while it is masked', () => {
    const trace = whole(`${MASK(10)}
      20 dev.raise ${E1} vector=1 cause=7
      30 dev.withdraw ${E1}
      30 drop ${E1} reason="the pending bits were not migrated" cause=7`);
    assert.deepEqual(found(trace, 'F01'), [
      `${FIRST + 3} ${E1}: the pending bit of entry 1 of 0000:03:00.0 was dropped while it was masked`,
    ]);
    const served = whole(
      `${MASK(10)}\n20 dev.raise ${E1} vector=1 cause=7\n30 dev.withdraw ${E1} cause=7\n${OPEN(40)}`,
    );
    assert.deepEqual(found(served, 'F01'), []);
  });

  it('F01 a message that an irqfd injects is no message on the bus', () => {
    const quiet = SETUP.replace(/.*send.*\n/, '');
    const trace = made(
      `${quiet}${MASK(10)}\n20 dev.raise ${E1} vector=1\n${OPEN(30)}
      31 irqfd.wakeup kvm/0/irqfd/24\n2000 tbl.read ${E1} offset=0xc size=4 value=0x0`,
      true,
    );
    assert.deepEqual(found(trace, 'F01'), []);
  });

  it('F02 a bit that reads 0, and one that shows at the place of a byte offset', () => {
    const before = `${MASK(10)}\n20 dev.raise ${E1} vector=1`;
    const zero = fn(`${before}\n30 pba.read ${FN} first=0 size=8 value=0x0`);
    assert.deepEqual(found(zero, 'F02'), [
      `${FIRST + 2} ${E1}: the pending bit of entry 1 of 0000:03:00.0 reads 0 while a cause waits`,
    ]);
    const shifted = fn(`${before}\n30 pba.read ${FN} first=0 size=8 value=0x100`);
    assert.deepEqual(found(shifted, 'F02'), [
      `${FIRST + 2} ${E1}: the pending bit of entry 1 of 0000:03:00.0 shows at index 8: the index was taken for a byte offset (times 8)`,
    ]);
    const swapped = fn(`${before}\n30 pba.read ${FN} first=0 size=8 value=0x200000000`);
    assert.match(found(swapped, 'F02')[0]!, /shows at index 33: the two dwords of the qword are swapped/);
    assert.deepEqual(found(fn(`${before}\n30 pba.read ${FN} first=0 size=8 value=0x2`), 'F02'), []);
    assert.deepEqual(found(fn(`${before}\n30 pba.read ${FN} first=64 size=8 value=0x0`), 'F02'), [], 'another qword');
    assert.deepEqual(
      found(fn(`${before}\n${OPEN(25)}\n${SEND(26)}\n30 pba.read ${FN} first=0 size=8 value=0x0`), 'F02'),
      [],
    );
  });

  it('F04 a message that arrives behind mask and read, and one that arrives behind the mask alone', () => {
    const flight = (read: string) =>
      whole(`5 dev.raise ${E1} vector=1 cause=3
      5 send ${E1} address=0xfee01000 data=0x21 cause=3
      ${MASK(6)}
      ${read}
      8@1 cpu.accept cpu/1/vector/33 cause=3`);
    // Any dword of the table of the function flushes all its vectors.
    assert.deepEqual(found(flight(`7 tbl.read ${E0} offset=0x0 size=4 value=0xfee00000`), 'F04'), [
      `${FIRST + 4} ${E1}: a message of entry 1 of 0000:03:00.0 arrived after its mask was set and read back`,
    ]);
    assert.deepEqual(found(flight(''), 'F04'), []);
    assert.deepEqual(found(flight(`7 tbl.read ${E0} offset=0x0 size=4 value=0xfee00000\n${OPEN(7)}`), 'F04'), []);
  });

  it('F05 and F06 address and data written while nothing masks the entry', () => {
    const bare = fn(`10 tbl.write ${E1} offset=0x0 size=4 value=0xfee02000
      11 tbl.write ${E1} offset=0x8 size=4 value=0x22`);
    assert.deepEqual(found(bare, 'F06'), [
      `${FIRST} ${E1}: the address of entry 1 of 0000:03:00.0 was written while nothing masked it`,
    ]);
    assert.deepEqual(found(bare, 'F05'), [
      `${FIRST + 1} ${E1}: address and data of entry 1 of 0000:03:00.0 were changed while nothing masked it`,
    ]);
    assert.match(judged(bare, 'F05').findings[0]!.text, /was 0xfee01000\/0x21;/);
    const masked = fn(`${MASK(9)}\n10 tbl.write ${E1} offset=0x0 size=4 value=0xfee02000
      11 tbl.write ${E1} offset=0x8 size=4 value=0x22\n${OPEN(12)}`);
    assert.deepEqual([...found(masked, 'F05'), ...found(masked, 'F06')], []);
    assert.equal(verdict(masked, 'F06'), 'pass');
    const same = fn(`10 tbl.write ${E1} offset=0x0 size=4 value=0xfee01000`);
    assert.deepEqual(found(same, 'F06'), [], 'written, but not changed');
    const off = fn(
      `9 cfg.write ${FN} offset=0x62 size=2 value=0x3\n10 tbl.write ${E1} offset=0x0 size=4 value=0xfee02000`,
    );
    assert.deepEqual(found(off, 'F06'), [], 'MSI-X is off');
  });

  it('F05 the two steps of a move change one part each: first the vector, then the CPU', () => {
    const steps = fn(`10 tbl.write ${E1} offset=0x0 size=4 value=0xfee01000
      11 tbl.write ${E1} offset=0x8 size=4 value=0x22
      12 tbl.write ${E1} offset=0x0 size=4 value=0xfee02000
      13 tbl.write ${E1} offset=0x8 size=4 value=0x22`);
    assert.deepEqual(found(steps, 'F05'), []);
  });

  it('F05 MSI in config space has no mask: both parts changed while it is on', () => {
    const MSI = 'device/0000:04:00.0';
    const setup = `0 cfg.read ${MSI} offset=0x34 size=1 value=0x50
      0 cfg.read ${MSI} offset=0x50 size=4 value=0x800005
      1 cfg.write ${MSI} offset=0x54 size=4 value=0xfee00000
      1 cfg.write ${MSI} offset=0x58 size=4 value=0x0
      1 cfg.write ${MSI} offset=0x5c size=2 value=0x21
      2 cfg.write ${MSI} offset=0x52 size=2 value=0x81`;
    const torn = made(`${setup}
      3 cfg.write ${MSI} offset=0x54 size=4 value=0xfee01000
      4 cfg.write ${MSI} offset=0x5c size=2 value=0x22`);
    assert.deepEqual(found(torn, 'F05'), [
      `7 ${MSI}/msi: address and data of MSI of 0000:04:00.0 were changed while nothing masked it`,
    ]);
    // Two moves in two steps each: data alone, then address alone, and the same some time later (as imsic_irq_set_affinity writes them).
    const word = (at: number, address: string, data: string): string =>
      `${at} cfg.write ${MSI} offset=0x54 size=4 value=${address}\n${at} cfg.write ${MSI} offset=0x5c size=2 value=${data}`;
    const steps = [word(3, '0xfee00000', '0x22'), word(4, '0xfee01000', '0x22')];
    const again = [word(90, '0xfee01000', '0x23'), word(91, '0xfee02000', '0x23')];
    assert.deepEqual(found(made([setup, ...steps, ...again].join('\n')), 'F05'), []);
    const safe = made(`${setup}
      3 cfg.write ${MSI} offset=0x52 size=2 value=0x80
      3 cfg.write ${MSI} offset=0x54 size=4 value=0xfee01000
      4 cfg.write ${MSI} offset=0x5c size=2 value=0x22
      5 cfg.write ${MSI} offset=0x52 size=2 value=0x81`);
    assert.deepEqual(found(safe, 'F05'), []);
  });

  it('F07 an entry of an earlier kernel is live when MSI-X is switched on', () => {
    const off = `10 cfg.write ${FN} offset=0x62 size=2 value=0x3`;
    const on = (time: number, value = '0x8003') => `${time} cfg.write ${FN} offset=0x62 size=2 value=${value}`;
    const stale = fn(`${off}\n${MASK(11, E0)}\n${on(12)}`);
    assert.deepEqual(found(stale, 'F07'), [
      `${FIRST + 2} ${E1}: entry 1 of 0000:03:00.0 was live with its old message when MSI-X was switched on`,
    ]);
    assert.match(judged(stale, 'F07').findings[0]!.text, /entry 1 of 0000:03:00\.0 \(0xfee01000\/0x21\) is not masked/);
    assert.deepEqual(found(fn(`${off}\n${on(12, '0xc003')}`), 'F07'), [], 'with the function mask, as Linux does it');
    assert.deepEqual(found(fn(`${off}\n${MASK(11, E0)}\n${MASK(11)}\n${on(12)}`), 'F07'), []);
    const fresh = fn(`${off}\n${MASK(11, E0)}\n11 tbl.write ${E1} offset=0x8 size=8 value=0x22\n${on(12)}`);
    assert.deepEqual(found(fresh, 'F07'), [], 'written while MSI-X was off: by the driver that switches it on');
  });

  it('F08 reserved bits that were 1 are written as 0', () => {
    const trace = fn(`10 tbl.read ${E1} offset=0xc size=4 value=0x20\n${OPEN(11)}`);
    assert.deepEqual(found(trace, 'F08'), [
      `${FIRST + 1} ${E1}: reserved bits of Vector Control of entry 1 of 0000:03:00.0 were changed`,
    ]);
    const kept = fn(`10 tbl.read ${E1} offset=0xc size=4 value=0x20\n11 tbl.write ${E1} offset=0xc size=4 value=0x21`);
    assert.deepEqual(found(kept, 'F08'), []);
    const tag = fn(
      `10 tbl.read ${E1} offset=0xc size=4 value=0x120000\n11 tbl.write ${E1} offset=0xc size=4 value=0x340001`,
    );
    assert.deepEqual(found(tag, 'F08'), [], 'bits 31:16 are the steering tag');
  });

  it('F09 sizes and alignments that the table does not have, and what QEMU refuses', () => {
    assert.deepEqual(found(fn(`10 tbl.read ${E1} offset=0xc size=1 value=0x0`), 'F09'), [
      `${FIRST} ${E1}: entry 1 of 0000:03:00.0 was read with 1 byte at offset 12`,
    ]);
    assert.deepEqual(found(fn(`10 tbl.write ${E1} offset=0x4 size=8 value=0x0`), 'F09'), [
      `${FIRST} ${E1}: entry 1 of 0000:03:00.0 was written with 8 bytes at offset 4`,
    ]);
    assert.deepEqual(
      found(fn(`10 tbl.write ${E1} offset=0x8 size=8 value=0x21\n11 pba.read ${FN} first=32 size=4 value=0x0`), 'F09'),
      [],
    );
    const text = "Invalid write at addr 0xFE7C200E, size 2, region 'msix-table', reason: invalid size (min:4 max:8)";
    assert.deepEqual(found(fn(`10 message log text="${text}"`), 'F09'), [
      `${FIRST} log: a 2-byte write at 0xFE7C200E of msix-table was refused`,
    ]);
    assert.deepEqual(found(fn(`10 message log text="${text.replace('msix-table', 'nvme-mbar')}"`), 'F09'), []);
  });

  it('F10 a message after the irq was deactivated, and one to address 0', () => {
    const irq = `3 irq.identify irq/25 device=0000:03:00.0 hwirq=1 domain=PCI-MSIX-0000:03:00.0
      4 vec.deactivate irq/25 managed=false canReserve=true reserve=false`;
    assert.deepEqual(found(fn(`${irq}\n${SEND(10)}`), 'F10'), [
      `${FIRST + 2} ${E1}: entry 1 of 0000:03:00.0 sent a message after its irq was deactivated`,
    ]);
    const again = fn(`${irq}\n8 vec.activate irq/25 managed=false canReserve=true reserve=false\n${SEND(10)}`);
    assert.deepEqual(found(again, 'F10'), []);
    assert.match(found(fn(`10 send ${E1} address=0x0 data=0x0`), 'F10')[0]!, /sent a message to address 0/);
    const dmar =
      'DMAR: [DMA Write NO_PASID] Request device [03:00.0] fault addr 0x0 [fault reason 0x05] PTE Write access is not set';
    const said = (at: number, text = '') =>
      judged(fn(`${text}\n${at} message log text="${dmar}"`), 'F10').findings.map((f) => [f.severity, f.title]);
    const buffer = ['warning', '03:00.0 wrote to page 0: an all-zero message, or a null buffer'];
    assert.deepEqual(said(10), [buffer]);
    assert.deepEqual(said(10, irq), [['error', '03:00.0 wrote to page 0 after irq/25 was deactivated']]);
    assert.deepEqual(said(1_100_000, irq), [buffer], 'long before');
    assert.deepEqual(said(10, irq.replace('device=0000:03:00.0', 'device=0000:04:00.0')), [buffer], 'another function');
    assert.deepEqual(found(fn(`10 message log text="${dmar.replace('addr 0x0', 'addr 0x7f0000')}"`), 'F10'), []);
  });

  it('F12 a cause of an entry that is on while Bus Master Enable is 0, told once', () => {
    const off = `5 cfg.write ${FN} offset=0x4 size=2 value=0x402`;
    const trace = fn(`${off}\n10 dev.raise ${E1} vector=1\n11 dev.raise ${E1} vector=1`);
    assert.deepEqual(found(trace, 'F12'), [
      `${FIRST + 1} ${E1}: entry 1 of 0000:03:00.0 had a cause while Bus Master Enable is 0: its message cannot leave`,
    ]);
    assert.deepEqual(found(fn(`${off}\n${MASK(6)}\n10 dev.raise ${E1} vector=1`), 'F12'), [], 'masked: nothing is due');
    const lost = fn(`${off}\n6 lost log count=1\n10 dev.raise ${E1} vector=1`);
    assert.deepEqual(found(lost, 'F12'), [], 'the Command register may have been written meanwhile');
    // MSI with mask bits and two vectors (control 0x0111), of which vector 1 is masked: only vector 0 is due.
    const single = `0 cfg.read ${FN} offset=0x4 size=2 value=0x402
      0 cfg.read ${FN} offset=0x34 size=1 value=0x40
      0 cfg.read ${FN} offset=0x40 size=4 value=0x1110005
      1 cfg.write ${FN} offset=0x4c size=4 value=0x2`;
    assert.deepEqual(found(made(`${single}\n10 dev.raise ${FN}/msi vector=1`), 'F12'), [], 'a masked vector of MSI');
    assert.equal(found(made(`${single}\n10 dev.raise ${FN}/msi vector=0`), 'F12').length, 1);
  });

  it('F13 INTx while MSI-X is on, and both kinds of messages on', () => {
    assert.deepEqual(
      found(fn(`10 dev.intx ${FN} level=true`), 'F13'),
      [],
      'Interrupt Disable is 1: the model drives no line',
    );
    const free = (text: string) => fn(`5 cfg.write ${FN} offset=0x4 size=2 value=0x6\n${text}`);
    assert.deepEqual(found(free(`10 dev.intx ${FN} level=true`), 'F13'), [
      `${FIRST + 1} ${FN}: 0000:03:00.0 asserted INTx while MSI-X is on`,
    ]);
    assert.deepEqual(found(free(`10 dev.intx ${FN} level=false`), 'F13'), []);
    const legacy = free(`9 cfg.write ${FN} offset=0x62 size=2 value=0x3\n10 dev.intx ${FN} level=true`);
    assert.deepEqual(found(legacy, 'F13'), []);
    assert.equal(verdict(legacy, 'F13'), 'pass');
  });

  it('I-P5 a cause that makes no message, told where messages of the function are shown', () => {
    const trace = fn(`10 dev.raise ${E1} vector=1\n2000 tbl.read ${E0} offset=0xc size=4 value=0x0`);
    assert.deepEqual(found(trace, 'I-P5'), [
      `${FIRST} ${E1}: entry 1 of 0000:03:00.0 had a cause and sent no message although nothing masks it`,
    ]);
    const told = fn(
      `10 dev.raise ${E1} vector=1\n11 drop ${E1} reason="refused"\n2000 tbl.read ${E0} offset=0xc size=4 value=0x0`,
    );
    assert.deepEqual(found(told, 'I-P5'), []);
    const twins =
      fn(`5 tbl.write ${E1} offset=0x0 size=8 value=0xfee00000\n5 tbl.write ${E1} offset=0x8 size=8 value=0x20
      10 dev.raise ${E1} vector=1\n2000 tbl.read ${E0} offset=0xc size=4 value=0x0`);
    assert.deepEqual(found(twins, 'I-P5'), [], 'two entries with one message: the bus does not tell which one sent it');
  });

  it('R01 a vector behind the end of the table, and one that was never programmed', () => {
    assert.deepEqual(found(fn(`10 dev.raise ${FN}/msix/4 vector=4`), 'R01'), [
      `${FIRST} ${FN}/msix/4: vector 4 was raised, and the table has 4 entries`,
    ]);
    const one = made(`0 snap.msix ${FN} at=0x60 enable=true fmask=false size=1\n10 dev.raise ${FN}/msix/1 vector=1`);
    assert.match(found(one, 'R01')[0]!, /the table has 1 entry$/);
    const zero =
      fn(`5 tbl.write ${FN}/msix/3 offset=0x0 size=8 value=0x0\n5 tbl.write ${FN}/msix/3 offset=0x8 size=8 value=0x0
      10 dev.raise ${FN}/msix/3 vector=3`);
    assert.match(found(zero, 'R01')[0]!, /entry 3 of 0000:03:00\.0 was raised, and its message is address 0/);
    assert.match(judged(zero, 'R01').findings[0]!.text, /2 entries of the function have a message/);
    assert.deepEqual(found(fn(`10 dev.raise ${E1} vector=1`), 'R01'), []);
  });

  it('R01 an entry that the driver left masked and without a message', () => {
    const setup = `0 cfg.read ${FN} offset=0x4 size=2 value=0x406
      0 cfg.read ${FN} offset=0x34 size=1 value=0x60
      0 cfg.read ${FN} offset=0x60 size=4 value=0x30011
      1 cfg.write ${FN} offset=0x62 size=2 value=0xc003
      1 tbl.write ${FN}/msix/2 offset=0xc size=4 value=0x1
      1 tbl.write ${E0} offset=0x0 size=8 value=0xfee00000
      1 tbl.write ${E0} offset=0x8 size=8 value=0x20
      2 cfg.write ${FN} offset=0x62 size=2 value=0x8003
      10 dev.raise ${FN}/msix/2 vector=2`;
    const trace = made(`${setup}\n2000000 tbl.read ${E0} offset=0xc size=4 value=0x0`);
    assert.deepEqual(
      judged(trace, 'R01').findings.map(({ step, severity, title }) => [step, severity, title]),
      [[8, 'warning', 'entry 2 of 0000:03:00.0 was raised, and its driver set up only 1 entry']],
    );
    const later = made(`${setup}\n500000 tbl.write ${FN}/msix/2 offset=0x0 size=8 value=0xfee00000
      2000000 tbl.read ${E0} offset=0xc size=4 value=0x0`);
    assert.deepEqual(found(later, 'R01'), [], 'it was set up after its first cause');
    const before = made(`${setup.replace('value=0x30011', 'value=0x80030011').replace(/.*0xc003.*\n/, '')}
      2000000 tbl.read ${E0} offset=0xc size=4 value=0x0`);
    assert.deepEqual(
      found(before, 'R01'),
      [],
      'MSI-X was on when the trace began: the entry may have been set up before',
    );
  });

  it('F11 all ones are no data', () => {
    const gone = fn(
      `10 tbl.read ${E1} offset=0xc size=4 value=0xffffffff\n11 tbl.read ${E1} offset=0xc size=4 value=0xffffffff`,
    );
    assert.deepEqual(found(gone, 'F11'), [
      `${FIRST} ${E1}: entry 1 of 0000:03:00.0 reads all ones although Memory Space Enable is 1`,
    ]);
    assert.deepEqual(
      found(fn(`10 tbl.read ${E1} offset=0x8 size=4 value=0xffffffff`), 'F11'),
      [],
      'data may be all ones',
    );
  });

  it('F11 a virtual function has no Memory Space Enable: its 0 says nothing', () => {
    const off = (op: string) => `${op} ${FN} offset=0x4 size=2`;
    const setup = SETUP.replace('value=0x406', 'value=0x404');
    const access = `10 tbl.read ${E1} offset=0xc size=4 value=0x0`;
    assert.deepEqual(found(made(`${setup}${access}`), 'F11'), [], 'never seen with 1');
    assert.equal(verdict(made(`${setup}${access}`), 'F11'), 'not-applicable');
    const hardwired = `${setup}9 ${off('cfg.write')} value=0x406\n9 ${off('cfg.read')} value=0x404\n${access}`;
    assert.deepEqual(found(made(hardwired), 'F11'), [], 'a write of 1 did not change it');
    const switched = `${setup}9 ${off('cfg.write')} value=0x406\n9 ${off('cfg.write')} value=0x404\n${access}`;
    assert.deepEqual(found(made(switched), 'F11'), [
      `${FIRST + 2} ${E1}: entry 1 of 0000:03:00.0 answered while Memory Space Enable is 0`,
    ]);
  });

  it('R02 a completion that a time-out found', () => {
    const text = 'nvme nvme0: I/O 24 (I/O Cmd) QID 3 timeout, completion polled';
    assert.deepEqual(found(fn(`10 message log text="${text}"`), 'R02'), [
      `${FIRST} log: nvme0: request 24 of queue 3 had completed, and no interrupt told it`,
    ]);
    assert.deepEqual(found(fn('10 message log text="nvme nvme0: I/O 24 QID 3 timeout, aborting"'), 'R02'), []);
  });
});
