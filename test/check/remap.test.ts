// The rules about remapping units, each on a trace that breaks it and on one that does not. That each finds its fault in a whole
// run, at the right step, is shown by planted.test.ts.
import assert from 'node:assert/strict';
import { found, judged, made, verdict } from './made.ts';

const IRTE = 'irte/dmar0/37';
/** P = 1, RH, vector 0x20, SID 0x6500 (65:00.0), SVT 1. */
const ENTRY = '0x465000000000000200009';
const request = (time: number): string => `${time} ir.request ${IRTE} address=0xfee004b8 data=0x0 sid=0x6500`;
const used = `20 ir.remap ${IRTE} vector=32 dest=0x0`;

describe('rules about remapping units', () => {
  const fault = (reason: number, sid = ' sid=0x6500'): string => `30 ir.fault ${IRTE} reason=${reason}${sid} index=37`;
  const rows: readonly (readonly [id: string, reason: number, title: string])[] = [
    ['F30', 0x22, '0000:65:00.0 used IRTE 37 of dmar0, which is not present'],
    ['F34', 0x26, '0000:65:00.0 used IRTE 37 of dmar0, which belongs to another requester'],
    ['F35', 0x20, '0000:65:00.0 sent a message for index 37 that IRTE 37 of dmar0 refused'],
    ['F35', 0x24, '0000:65:00.0 sent a message for index 37 that IRTE 37 of dmar0 refused'],
  ];
  for (const [id, reason, title] of rows)
    it(`${id} fault reason 0x${reason.toString(16)}`, () => {
      assert.deepEqual(found(made(`${request(29)}\n${fault(reason)}`), id), [`1 ${IRTE}: ${title}`]);
      // Other reasons are told by other rules.
      for (const other of rows.filter(([otherId]) => otherId !== id))
        assert.deepEqual(found(made(`${request(29)}\n${fault(reason)}`), other[0]), []);
    });

  it('F30 tells whose entry it was: the case of a device that was not quiet at free_irq()', () => {
    const trace = made(`
      0 ir.seen irte/dmar0 kind=VT-d
      1 irq.identify irq/82 device=0000:65:00.0 hwirq=3
      2 irte.write ${IRTE} value=${ENTRY}
      3 msg.write irq/82 hwirq=3 address=0xfee004b8 data=0x0
      1000000 vec.deactivate irq/82 managed=false canReserve=false reserve=false
      1000001 irte.write ${IRTE} value=0x0
      ${request(4_680_000)}
      4680001 ir.fault ${IRTE} reason=34 sid=0x6500 index=37`);
    const [finding] = judged(trace, 'INV-PRESENT').findings;
    assert.match(finding!.text, /It served irq 82, which was deactivated 3\.680 s before\./);
    assert.match(finding!.text, /The message was 0xfee004b8\/0x0\./);
    assert.deepEqual(finding!.evidence, [4, 5, 6]);
  });

  it('a storm of the same message is one fault, until the entry is written', () => {
    const storm = `${request(29)}\n${fault(34)}\n${request(31)}\n${fault(34).replace('30 ', '32 ')}`;
    assert.equal(found(made(storm), 'F30').length, 1);
    const written = `${storm}\n40 irte.write ${IRTE} value=0x0\n${request(41)}\n42 ir.fault ${IRTE} reason=34 sid=0x6500`;
    assert.equal(found(made(written), 'F30').length, 2);
  });

  it('F33 names no entry: the index of such a record means nothing (FA7)', () => {
    const trace = made('1 ir.fault irte/dmar0 reason=37 sid=0x4200 index=1600');
    assert.deepEqual(found(trace, 'F33'), [
      '0 irte/dmar0: 0000:42:00.0 sent a message in compatibility format, which the unit dmar0 blocked',
    ]);
    assert.doesNotMatch(judged(trace, 'F33').findings[0]!.text, /1600/);
  });

  it('entries that are used without a fault pass', () => {
    for (const id of ['F30', 'F33', 'F34', 'F35'])
      assert.equal(verdict(made(`${request(19)}\n${used}`), id), 'pass', id);
  });

  it('refusals of AMD-Vi tell by their text which fault it is', () => {
    const amd = (text: string): string => `1 ir.fault irte/amdvi-0x300/4 sid=0x300 text="IO_PAGE_FAULT (I): ${text}"`;
    assert.equal(found(made(amd('RemapEn of the entry is 0')), 'F30').length, 1);
    assert.equal(found(made(amd('the table has 512 entries')), 'F35').length, 1);
    assert.equal(found(made(amd('RemapEn of the entry is 0')), 'F35').length, 0);
  });

  describe('F31', () => {
    const read = `1 irte.read ${IRTE} value=${ENTRY}`;
    const write = `10 irte.write ${IRTE} value=${ENTRY.replace('20', '21')}`;
    const inv = (time: number, index: number, mask = 0): string =>
      `${time} iec.inv irte/dmar0/${index} global=false index=${index} mask=${mask}`;

    it('an entry that is used before its cached copy was invalidated', () => {
      const trace = made(`${read}\n${write}\n${inv(11, 38)}\n${request(15)}\n${used}`);
      assert.deepEqual(found(trace, 'INV-IEC'), [
        `3 ${IRTE}: IRTE 37 of dmar0 was written and not invalidated, and a message came for it`,
      ]);
      assert.deepEqual(judged(trace, 'F31').findings[0]!.evidence, [1]);
    });

    it('an invalidation of it, of a block that holds it, or of all passes', () => {
      // Blocks are aligned: of 39 with mask 3, it is 32 to 39.
      for (const covers of [
        inv(11, 37),
        inv(11, 32, 3),
        inv(11, 39, 3),
        '11 iec.inv irte/dmar0 global=true index=0 mask=0',
      ])
        assert.equal(verdict(made(`${read}\n${write}\n${covers}\n${request(15)}\n${used}`), 'F31'), 'pass', covers);
      // 34 with mask 2 is 32 to 35, although 34 + 4 is more than 37; what only waits in the queue has no effect.
      const queued = `11 iec.queue ${IRTE} global=false index=37 mask=0`;
      for (const other of [inv(11, 32, 2), inv(11, 34, 2), `${queued}\n${inv(12, 38)}`])
        assert.equal(verdict(made(`${read}\n${write}\n${other}\n${request(15)}\n${used}`), 'F31'), 'fail', other);
    });

    it('of a kernel whose unit is not seen: the second write of an entry counts as the first does', () => {
      const again = `500 irte.write ${IRTE} value=${ENTRY}`;
      const trace = made(
        `${write}\n${inv(11, 37)}\n${again}\n5000 ir.request irte/dmar0/40 address=0xfee00518 data=0x0 sid=0x6500`,
      );
      assert.equal(verdict(trace, 'F31'), 'fail');
    });

    it('is not decided where no invalidation is recorded, or where events were lost', () => {
      assert.equal(verdict(made(`${read}\n${write}\n${request(15)}\n${used}`), 'F31'), 'undecidable');
      const lost = made(`${inv(0.5, 37)}\n${read}\n${write}\n12 lost cpu/0\n${request(15)}\n${used}`);
      assert.deepEqual(found(lost, 'F31'), []);
    });
  });

  it('F37 an entry with Fault Processing Disable is told of once', () => {
    const silent = ENTRY.replace(/9$/, 'b');
    const trace = made(
      `1 irte.read ${IRTE} value=${silent}\n2 irte.read ${IRTE} value=${silent}\n3 irte.read irte/dmar0/38 value=${ENTRY}`,
    );
    assert.deepEqual(found(trace, 'INV-FPD'), [`0 ${IRTE}: IRTE 37 of dmar0 does not report its faults (FPD is set)`]);
    assert.equal(verdict(made(`1 irte.read ${IRTE} value=${ENTRY}`), 'F37'), 'pass');
  });

  it('F36 a domain of a remapping unit without a free entry; of the vector domain it is another fault', () => {
    const alloc = (domain: string): string => `1 dom.alloc irq/40 domain=${domain} free=false ret=-28`;
    assert.equal(found(made(alloc('INTEL-IR-1')), 'F36').length, 1);
    assert.equal(verdict(made(alloc('VECTOR')), 'F36'), 'not-applicable');
  });

  describe('R13', () => {
    const boot = `
      1 ir.enable irte/0 enable=true
      2 iec.inv irte/0/1 global=false index=1 mask=0`;
    const tick = (time: number): string => `
      ${time} line.set ioapic/0/pin/0 level=true
      ${time + 1} ir.remap irte/0/1 vector=48 dest=0x0
      ${time + 2} line.set ioapic/0/pin/0 level=false`;

    it('one tick in 250 ms, and nothing else up to the end', () => {
      assert.deepEqual(found(made(`${boot}${tick(250_000)}`), 'R13'), [
        '3 ioapic/0/pin/0: The timer does not work through the remapped I/O APIC: one interrupt in 250.000 ms',
      ]);
    });

    it('ten ticks are 100 ms at HZ 100: one tick in 90 ms says nothing', () => {
      const until = (time: number) => `${boot}${tick(50_000)}\n${time} line.set ioapic/0/pin/4 level=false`;
      assert.deepEqual(found(made(until(90_000)), 'R13'), []);
      assert.equal(found(made(until(110_000)), 'R13').length, 1);
    });

    it('the console shows that time goes on: its last line counts, too', () => {
      const until = (time: number) => `${boot}${tick(50_000)}\n${time} message domain/VECTOR text="Kernel panic"`;
      assert.deepEqual(found(made(until(90_000)), 'R13'), []);
      assert.deepEqual(found(made(until(110_000)), 'R13'), [
        '3 ioapic/0/pin/0: The timer does not work through the remapped I/O APIC: one interrupt in 109.998 ms',
      ]);
    });

    it('two ticks in 60 ms and six later: the kernel has given up (QEMU 10.0, Linux 6.12 with HZ 250, on a host that is too busy)', () => {
      // The times of the log: ticks 2, 16, 68, 81, 89, 102, 197 and 201 ms behind the first invalidation; its guest panicked.
      const ticks = [2_700, 16_800, 68_500, 81_700, 89_700, 102_400, 197_200, 201_300].map(tick).join('');
      assert.deepEqual(found(made(`${boot}${ticks}`), 'R13'), [
        '6 ioapic/0/pin/0: The timer does not work through the remapped I/O APIC: 2 interrupts in 60.000 ms',
      ]);
    });

    it('five ticks, another interrupt, or a trace that ends too soon are right', () => {
      const five = [1, 2, 3, 4, 5].map((n) => tick(n * 10_000)).join('');
      const other = `${tick(50_000)}\n60000 ir.remap irte/0/9 vector=49 dest=0x0\n250000 line.set ioapic/0/pin/4 level=false`;
      for (const text of [five, other, tick(20_000)]) assert.deepEqual(found(made(`${boot}${text}`), 'R13'), []);
    });
  });
});
