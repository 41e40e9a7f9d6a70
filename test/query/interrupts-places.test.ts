// How a row of the list is joined where no vector of the host takes the interrupt: virtual LPIs of GICv4, identities of IMSICs.
import assert from 'node:assert/strict';
import { interruptLines } from '../../src/cli/commands/interrupts-text.ts';
import { type Interrupt, interrupts } from '../../src/query/interrupts/list.ts';
import type { InterruptRow } from '../../src/query/interrupts/row.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { vectorText } from '../../src/view/interrupts/words.ts';
import { summaryOf } from '../../src/view/presentation/types.ts';
import { story } from '../helpers/story.ts';

const interruptsOf = (trace: Trace): Interrupt[] => interrupts(trace, trace.length - 1);
const rows = (trace: Trace): InterruptRow[] => interruptsOf(trace).map(({ row }) => row);

describe('virtual LPIs (GICv4)', () => {
  /** A message of a function behind an ITS that goes to a guest without the host; `more` follows. */
  const forwardedTrace = (more: string): Trace =>
    story(`
        cfg.read device/0000:00:04.0 offset=0x0 size=4 value=0x1234abcd
        its.doorbell its/0 address=0x20210040
        tbl.write device/0000:00:04.0/msix/0 offset=0x0 size=4 value=0x20210040
        tbl.write device/0000:00:04.0/msix/0 offset=0x4 size=4 value=0x0
        tbl.write device/0000:00:04.0/msix/0 offset=0x8 size=4 value=0x0
        its.mapd its/0/device/0x20 size=0 itt=0x47300000 valid=true
        cpu0 irq.entry irq/24 name=net
        cpu0 irq.exit irq/24 handled=true
        its.vmapp its/0/vpe/3 target=1 valid=true
        its.vmapti its/0/device/0x20/event/0 vpe=3 vlpi=8200 doorbell=1023
        kvm.entry vcpu/3
        send device/0000:00:04.0/msix/0 address=0x20210040 data=0x0 size=4 requester=0x20
        its.trans its/0/device/0x20/event/0 device=0x20 event=0x0 size=4
        gic.pend vcpu/3/intid/8200 pending=true
        ${more}`);
  const forwarded = (more: string): InterruptRow[] => rows(forwardedTrace(more)).filter(({ entry }) => entry !== null);

  it('one that a vPE takes is at its virtual CPU, with the INTID that the guest sees', () => {
    const [row] = forwarded('');
    assert.deepEqual([row?.vcpu, row?.vector, row?.status], ['vcpu/3', 'vcpu/3/intid/8200', 'pending']);
  });

  it('as text it is told from an LPI of a CPU of the host', () => {
    const table = interruptLines(interruptsOf(forwardedTrace('')));
    assert.match(table[0]!, / cpu\/vector /);
    assert.match(table.join('\n'), / vcpu 3\/8200 /);
    assert.equal(vectorText('cpu/3/intid/8200'), '3/8200');
    assert.equal(vectorText('l1:vcpu/3/intid/8200'), 'vcpu l1:3/8200');
  });

  it('acknowledged by the guest it is in service; ended it is idle, not on its way', () => {
    assert.equal(forwarded('gic.ack vcpu/3/intid/8200')[0]?.status, 'in-service');
    assert.equal(forwarded('gic.ack vcpu/3/intid/8200\n gic.eoi vcpu/3/intid/8200')[0]?.status, 'idle');
  });

  it('moved to another vPE (VMOVI), it is at that virtual CPU', () => {
    const [row] = forwarded(`kvm.entry vcpu/5
      its.vmovi its/0/device/0x20/event/0 vpe=5
      gic.pend vcpu/3/intid/8200 pending=false
      gic.pend vcpu/5/intid/8200 pending=true`);
    assert.deepEqual([row?.vcpu, row?.vector], ['vcpu/5', 'vcpu/5/intid/8200']);
  });
});

describe('identities of IMSICs', () => {
  // One irq at identity 2 of hart 1, beside another irq with that identity at hart 0 (RISC-V AIA: each interrupt file has its own).
  const SETUP = `
    tbl.write device/0000:00:02.0/msix/0 offset=0x8 size=4 value=0x2
    imsic.vector irq/24 cpu=0 identity=2
    imsic.vector irq/25 cpu=1 identity=2
    imsic.enable cpu/1/imsic/2 enabled=true`;
  const ofIrq = (more: string): InterruptRow | undefined =>
    rows(story(`${SETUP}\n${more}`)).find((row) => row.irq === 'irq/25');

  it('an irq is at its hart, with its identity there; what is not claimed pends', () => {
    const row = ofIrq('imsic.pend cpu/1/imsic/2 pending=true cause=1');
    assert.deepEqual([row?.cpu, row?.vector, row?.status], ['cpu/1', 'cpu/1/imsic/2', 'pending']);
    assert.notEqual(ofIrq('imsic.pend cpu/1/imsic/2 pending=true\nimsic.claim cpu/1/imsic/2')?.status, 'pending');
  });

  it('while it moves, it is at the new hart, and what pends at the old one is still its own', () => {
    const moves = 'imsic.vector irq/25 cpu=3 identity=7 prevCpu=1 prevId=2';
    const row = ofIrq(`${moves}\nimsic.pend cpu/1/imsic/2 pending=true`);
    assert.deepEqual([row?.vector, row?.status], ['cpu/3/imsic/7', 'pending']);
    const moved = ofIrq(`${moves}\nimsic.free irq/25 cpu=1 identity=2 moved=true`);
    assert.deepEqual([moved?.cpu, moved?.vector], ['cpu/3', 'cpu/3/imsic/7']);
  });

  it('the row of a hart says which are enabled and which pend; of a hart that told of none it says nothing', () => {
    const trace = story(`
      cpu.state cpu/1 online=true
      cpu.state cpu/2 online=true
      imsic.enable cpu/1/imsic/2 enabled=true
      imsic.enable cpu/1/imsic/3 enabled=false
      imsic.enable cpu/1/imsic/7 enabled=true
      imsic.pend cpu/1/imsic/7 pending=true`);
    const state = trace.stateAt(trace.length - 1);
    const said = (path: string): string => summaryOf(state, trace.world.find(path)!.object).description;
    assert.equal(said('cpu/1'), 'identities 2 7 enabled, 7 pending');
    assert.equal(said('cpu/2'), '');
  });
});
