// Facts of the two VT-d captures about interrupt remapping (QEMU logs): A5, A12, A27, A24, C8 and the debugfs dump that the
// guest's kernel made of its own table. Expected values come from the same bytes by regular expressions.
import assert from 'node:assert/strict';
import { isOutdated } from '../../../src/model/events/remap.ts';
import { viewEvent } from '../../../src/query/events.ts';
import { pathValue } from '../../../src/query/state.ts';
import { fixtureLines, fixtureTrace, grep, type SourceLine } from '../../helpers/fixtures.ts';

const XAPIC = 'x86-vtd/qemu.log';
const X2APIC = 'x86-x2apic/qemu.log';

interface IrteTree {
  readonly present: boolean | null;
  readonly posted: boolean | null;
  readonly vector: number | null;
  readonly dest: number | null;
  readonly sid: number | null;
  readonly value: string | null;
  readonly stale: boolean | null;
  readonly fields: Record<string, unknown>;
}

const irteAfter = (log: string, line: SourceLine, index: number): IrteTree => {
  const trace = fixtureTrace(log);
  return pathValue(trace.stateAt(trace.lastAtLine(line.line)), `irte/0/${index}`) as unknown as IrteTree;
};

/** Whether it is not known what the unit makes of an entry: its copy is gone, and the log shows no write of the table. */
const outdatedAfter = (log: string, line: SourceLine, index: number): boolean => {
  const trace = fixtureTrace(log);
  return isOutdated(trace.stateAt(trace.lastAtLine(line.line)), trace.world.objectAt(`irte/0/${index}`));
};

/** The numbers of a `vtd_ir_irte_get` line: the one labelled high is bits 63:0. */
function irteGet(text: string): { index: number; low: bigint; high: bigint } {
  const m = /vtd_ir_irte_get index (\d+) low (0x[0-9a-f]+) high (0x[0-9a-f]+)/.exec(text)!;
  return { index: Number(m[1]), low: BigInt(m[3]!), high: BigInt(m[2]!) };
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

describe('VT-d captures, interrupt remapping', () => {
  it('A5: address 0xfee00298 is handle 20; its cache entry was invalidated before; it goes to vector 33 of APIC 0', () => {
    const lines = fixtureLines(XAPIC);
    const trace = fixtureTrace(XAPIC);
    const request = lines.find((l) => l.text.includes('vtd_ir_remap_msi_req addr 0xfee00298'))!;
    const index = (0xfee00298 >>> 5) & 0x7fff;
    const event = viewEvent(trace, trace.lastAtLine(request.line));
    assert.equal(event.object, `irte/0/${index}`);
    assert.equal(index, 20);
    const invalidation = lines.find((l) =>
      new RegExp(`vtd_inv_desc_iec .*index 0x${index.toString(16)} `).test(l.text),
    )!;
    assert.ok(invalidation.line < request.line);
    const first = viewEvent(trace, trace.lastAtLine(invalidation.line));
    assert.deepEqual([first.kind, first.object], ['iec.inv', `irte/0/${index}`]);
    const [get, remap] = lines.slice(request.line, request.line + 2) as [SourceLine, SourceLine];
    const { low } = irteGet(get.text);
    const printed = /vector (\d+) deliver \d+ dest (0x[0-9a-f]+)/.exec(remap.text)!;
    const irte = irteAfter(XAPIC, remap, index);
    assert.equal(irte.vector, Number((low >> 16n) & 0xffn));
    assert.equal(irte.vector, Number(printed[1]));
    assert.equal(irte.dest, Number(printed[2]));
    assert.equal(irte.stale, false);
    const deliver = lines.find((l) => l.line > remap.line && l.text.includes('apic_deliver_irq'))!;
    const delivered = viewEvent(trace, trace.lastAtLine(deliver.line));
    assert.equal(delivered.object, `vcpu/${irte.dest}/vector/${irte.vector}`);
    const entry = pathValue(trace.stateAt(trace.lastAtLine(request.line)), 'device/0000:00:03.0/msix/0/message');
    assert.equal((entry as { index: number }).index, index, 'entry 0 of nvme holds that message');
  });

  it('A12: after the invalidation at …715.591839 entry 35 reads vector 42, destination 2', () => {
    const lines = fixtureLines(XAPIC);
    const invalidation = lines.find((l) => l.text.includes('715.591839:vtd_inv_desc_iec'))!;
    assert.ok(outdatedAfter(XAPIC, invalidation, 35), 'what was read before may be outdated');
    const get = lines.find((l) => l.line > invalidation.line && l.text.includes('vtd_ir_irte_get index 35 '))!;
    const remap = lines.find((l) => l.line > get.line && l.text.includes('vtd_ir_remap index 35 '))!;
    const { low, high } = irteGet(get.text);
    const irte = irteAfter(XAPIC, remap, 35);
    assert.equal(irte.value, hex((high << 64n) | low));
    assert.equal(irte.vector, Number((low >> 16n) & 0xffn));
    // xAPIC: the id stands in bits 47:40; how it is to be read is known before this entry is used.
    assert.equal(irteAfter(XAPIC, get, 35).dest, Number((low >> 40n) & 0xffn));
    assert.equal(irte.dest, Number((low >> 40n) & 0xffn));
    assert.deepEqual([irte.vector, irte.dest, irte.stale], [42, 2, false]);
  });

  it('A27: the labels of vtd_ir_irte_get are swapped: high is bits 63:0, low holds the source id 0x20 = 00:04.0', () => {
    const get = grep(XAPIC, /vtd_ir_irte_get index 35 /)[0]!;
    const { low, high } = irteGet(get.text);
    const irte = irteAfter(XAPIC, get, 35);
    assert.equal(irte.value, hex((high << 64n) | low));
    assert.equal(irte.present, (low & 1n) === 1n);
    assert.equal(irte.present, true);
    assert.equal(irte.posted, false);
    assert.equal(irte.sid, Number(high & 0xffffn));
    assert.equal(irte.sid, (0 << 8) | (4 << 3) | 0);
    assert.equal(irte.vector, Number((low >> 16n) & 0xffn));
    assert.equal(irte.fields['svt'], Number((high >> 18n) & 3n));
  });

  for (const log of [XAPIC, X2APIC]) {
    it(`${log}: after each read and remap the entry is what these lines print`, () => {
      const trace = fixtureTrace(log);
      let reads = 0;
      for (const line of grep(log, /vtd_ir_irte_get /).filter((_, i) => i % 37 === 0)) {
        const { index, low, high } = irteGet(line.text);
        const state = trace.stateAt(trace.lastAtLine(line.line));
        const irte = pathValue(state, `irte/0/${index}`) as unknown as IrteTree;
        assert.equal(irte.value, hex((high << 64n) | low), line.text);
        assert.equal(irte.sid, Number(high & 0xffffn), line.text);
        reads++;
      }
      for (const line of grep(log, /vtd_ir_remap index /).filter((_, i) => i % 41 === 0)) {
        const m = /index (\d+) .*vector (\d+) .*dest (0x[0-9a-f]+)/.exec(line.text)!;
        const irte = irteAfter(log, line, Number(m[1]));
        assert.deepEqual([irte.vector, irte.dest], [Number(m[2]), Number(m[3])], line.text);
        reads++;
      }
      assert.ok(reads > 80);
    });

    it(`A24, ${log}: as many invalidations as lines`, () => {
      const trace = fixtureTrace(log);
      const lines = grep(log, /vtd_inv_desc_iec /);
      assert.equal(pathValue(trace.head, 'irte/0/invalidations'), lines.length);
      const per = new Map<number, number>();
      for (const l of lines) {
        const m = /granularity (0x\d) index (0x[0-9a-f]+) mask (0x[0-9a-f]+)/.exec(l.text)!;
        if (m[1] === '0x1' && m[3] === '0x0') per.set(Number(m[2]), (per.get(Number(m[2])) ?? 0) + 1);
      }
      const globals = lines.filter((l) => l.text.includes('granularity 0x0'));
      for (const [index, count] of per) {
        const total = pathValue(trace.head, `irte/0/${index}/invalidations`) as number;
        assert.ok(total >= count && total <= count + globals.length, `entry ${index}: ${total} for ${count}`);
      }
    });
  }

  it('C8: with EIM the destination is not shifted: bits 63:32 of entry 28 as they are', () => {
    const get = grep(X2APIC, /vtd_ir_irte_get index 28 /)[0]!;
    const remap = grep(X2APIC, /vtd_ir_remap index 28 /)[0]!;
    const { low, high } = irteGet(get.text);
    assert.equal(low >> 32n, 1n);
    const irte = irteAfter(X2APIC, remap, 28);
    assert.equal(irte.value, hex((high << 64n) | low));
    assert.equal(irte.dest, Number(low >> 32n));
    assert.equal(irte.dest, Number(/dest (0x[0-9a-f]+)/.exec(remap.text)![1]));
    // Even before the first remap line, because IRTA was written with bit 11.
    const irta = grep(X2APIC, /vtd_reg_write addr 0xb8 /)[0]!;
    assert.equal((Number(/value (0x[0-9a-f]+)/.exec(irta.text)![1]) >>> 11) & 1, 1);
    assert.equal(irteAfter(X2APIC, get, 28).dest, Number(low >> 32n));
    const trace = fixtureTrace(X2APIC);
    assert.equal(pathValue(trace.stateAt(trace.lastAtLine(irta.line)), 'irte/0/eim'), true);
    assert.equal(pathValue(fixtureTrace(XAPIC).head, 'irte/0/eim'), false);
  });

  it('C3: at the marker behind the dump every entry that is not outdated is what the kernel printed of its table', () => {
    const trace = fixtureTrace(X2APIC);
    const marker = grep(X2APIC, /isa-debugcon/).find((l) => / value 0x3 /.test(l.text))!;
    const state = trace.stateAt(trace.lastAtLine(marker.line));
    let compared = 0;
    for (const { text } of grep('x86-x2apic/ir_translation_struct.txt', /^ \d+ /)) {
      const m = /^ (\d+)\s+(\S+)\s+([0-9a-f]{8}) ([0-9a-f]{2})\s+([0-9a-f]{16})\s+([0-9a-f]{16})/.exec(text)!;
      const irte = pathValue(state, `irte/0/${m[1]}`) as unknown as IrteTree | null | undefined;
      // The log tells only of entries that were used; after an invalidation the table may hold something newer.
      if (!irte || irte.value === null || irte.stale) continue;
      assert.equal(irte.value, hex(BigInt(`0x${m[5]}${m[6]}`)), text);
      assert.equal(irte.dest, Number.parseInt(m[3]!, 16), text);
      assert.equal(irte.vector, Number.parseInt(m[4]!, 16), text);
      compared++;
    }
    assert.ok(compared >= 10, `${compared} entries were compared`);
  });
});
