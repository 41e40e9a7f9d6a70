// The rules about virtual LPIs, each on a trace that breaks it and on one that does not.
import assert from 'node:assert/strict';
import { checkTrace } from '../../../src/check/check-run.ts';
import { rules } from '../../../src/check/rules.ts';
import { bundled, run } from '../../sim/run.ts';
import { found, judged, made, verdict } from '../made.ts';

const EVENT = 'its/0/device/0x20/event/0';
const setup = `1 kvm.entry vcpu/0
  1 its.vmapp its/0/vpe/0 target=0 valid=true doorbell=65535
  1 its.vmapti ${EVENT} vpe=0 vlpi=8200 doorbell=1023
  1 vpe.resident its/0/vpe/0 cpu=0 resident=true`;
const waits = (doorbell: boolean): string => `2 kvm.exit vcpu/0 reason=WFx
  2 vpe.resident its/0/vpe/0 cpu=0 resident=false pendingLast=false doorbell=${doorbell}`;
const comes = (at: number): string => `${at} its.trans ${EVENT} device=0x20 event=0x0 size=4
  ${at} gic.pend vcpu/0/intid/8200 pending=true`;
const runs = (at: number): string => `${at} vpe.resident its/0/vpe/0 cpu=0 resident=true\n${at} kvm.entry vcpu/0`;
const later = '5000 kvm.exit vcpu/1 reason=WFx';

describe('rules about virtual LPIs', () => {
  describe('R30', () => {
    it('nothing wakes a virtual CPU that waits up to the end of the trace', () => {
      const trace = made(`${setup}\n${waits(false)}\n${comes(10)}\n${later}`);
      assert.deepEqual(found(trace, 'R30'), [
        '7 vcpu/0/intid/8200: Virtual LPI 8200 pends at vcpu/0, which waits for an interrupt: nothing woke it for 4.990 ms',
      ]);
      const [finding] = judged(trace, 'R30').findings;
      assert.equal(finding?.lost, true);
      assert.match(finding!.text, /the doorbell of its vPE is not wanted/);
    });
    it('something else wakes it, late: not lost; soon: no fault', () => {
      const late = judged(made(`${setup}\n${waits(false)}\n${comes(10)}\n${runs(900)}\n${later}`), 'R30').findings;
      assert.deepEqual(
        late.map(({ step, lost }) => [step, lost]),
        [[7, false]],
      );
      assert.equal(verdict(made(`${setup}\n${waits(true)}\n${comes(10)}\n${runs(20)}\n${later}`), 'R30'), 'pass');
    });
    it('a virtual CPU that was preempted, or whose vPE is resident, needs no doorbell', () => {
      const preempted = waits(false).replace('WFx', 'IRQ');
      assert.equal(verdict(made(`${setup}\n${preempted}\n${comes(10)}\n${later}`), 'R30'), 'pass');
      assert.equal(verdict(made(`${setup}\n2 kvm.exit vcpu/0 reason=WFx\n${comes(10)}\n${later}`), 'R30'), 'pass');
    });
    it('pending state that was taken back needs nobody', () => {
      const cleared = '12 gic.pend vcpu/0/intid/8200 pending=false';
      assert.equal(verdict(made(`${setup}\n${waits(false)}\n${comes(10)}\n${cleared}\n${later}`), 'R30'), 'pass');
    });
  });

  describe('R31', () => {
    const elsewhere = '3 vpe.resident its/0/vpe/0 cpu=1 resident=true';
    const vmovp = '2 its.vmovp its/0/vpe/0 target=1';
    const vsync = (vpe: number): string => `2 its.cmd its/0 name=VSYNC text="vPE ${vpe}"`;
    it('a vPE that became resident elsewhere without VMOVP; told once', () => {
      const trace = made(`${setup}\n${elsewhere}\n${comes(10)}\n${comes(20)}`);
      assert.deepEqual(found(trace, 'R31'), [
        '5 its/0/vpe/0: vPE 0 is resident at CPU 1, and the ITS sends its interrupts to CPU 0',
      ]);
      assert.deepEqual(judged(trace, 'R31').findings[0]!.evidence, [1, 4]);
    });
    it('VMOVP without a VSYNC of that vPE', () => {
      for (const other of [vsync(1), '2 its.cmd its/0 name=SYNC text="redistributor 0"'])
        assert.deepEqual(found(made(`${setup}\n${vmovp}\n${other}\n${elsewhere}\n${comes(10)}`), 'R31'), [
          '7 its/0/vpe/0: vPE 0 was moved to CPU 1 without a VSYNC, and an interrupt came for it',
        ]);
    });
    it('holds with both, and while the vPE is not resident', () => {
      assert.equal(verdict(made(`${setup}\n${vmovp}\n${vsync(0)}\n${elsewhere}\n${comes(10)}`), 'R31'), 'pass');
      const away = '3 vpe.resident its/0/vpe/0 cpu=0 resident=false';
      assert.deepEqual(found(made(`${setup}\n${away}\n${vmovp}\n${comes(10)}`), 'R31'), []);
    });
    it('a trace without any other command of the ITS does not tell whether VSYNC came', () => {
      assert.equal(verdict(made(`${setup}\n${vmovp}\n${elsewhere}\n${comes(10)}`), 'R31'), 'undecidable');
    });
  });

  for (const gicv4 of ['v4.0', 'v4.1'])
    it(`each planted fault is found with ${gicv4}, and nothing without one`, () => {
      const ids = (fault: string): string[] => {
        const { trace } = run(bundled('gicv4-faults'), { settings: { gicv4, fault } });
        return checkTrace(trace, rules).findings.map(({ rule }) => rule.id);
      };
      assert.deepEqual(ids('none'), []);
      assert.deepEqual(ids('R30'), ['R30']);
      assert.deepEqual(ids('R31'), ['R31']);
      assert.deepEqual(ids('R31-sync'), ['R31']);
    });
});
