// The rules about AVIC, each on a trace that breaks it and on one that does not.
import assert from 'node:assert/strict';
import { found, made, verdict } from '../made.ts';

/** Entry of the physical APIC ID table: valid 63, IsRunning 62, the CPU in bits 11:0. */
const table = (at: number, running: boolean, cpu = 0): string =>
  `${at} avic.entry vcpu/0/avic value=0x${((1n << 63n) | (running ? 1n << 62n : 0n) | BigInt(cpu)).toString(16)}`;
const post = (at: number, signal: string): string => `${at} avic.post vcpu/0/avic vector=33 set=true signal=${signal}`;
const taken = (at: number): string => `${at} avic.post vcpu/0/avic vector=33 set=false\n${at} kvm.entry vcpu/0`;
const halted = '1 kvm.entry vcpu/0\n2 kvm.exit vcpu/0 reason=hlt';

describe('rules about AVIC', () => {
  describe('R20', () => {
    it('nothing wakes a halted virtual CPU up to the end of the trace', () => {
      assert.deepEqual(found(made(`${halted}\n${post(10, 'galog')}\n5000 kvm.exit vcpu/1 reason=hlt`), 'R20'), [
        '2 vcpu/0/avic: Vector 33 was posted to vcpu/0, which is halted: nothing woke it for 4.990 ms',
      ]);
    });
    it('something else wakes it, late', () => {
      assert.equal(found(made(`${halted}\n${post(10, 'galog')}\n${taken(900)}`), 'R20').length, 1);
      assert.equal(verdict(made(`${halted}\n${post(10, 'galog')}\n${taken(20)}`), 'R20'), 'pass');
    });
    it('an entry that waits in the log will be read; a preempted virtual CPU needs no wake-up', () => {
      const logged = `3 galog.start galog/0 entries=512\n${post(10, 'galog')}\n10 galog.write galog/0 tag=0x1000`;
      assert.deepEqual(found(made(`${halted}\n${logged}\n5000 kvm.exit vcpu/1 reason=hlt`), 'R20'), []);
      const preempted = halted.replace('hlt', 'interrupt');
      assert.equal(verdict(made(`${preempted}\n${post(10, 'none')}\n${taken(900)}`), 'R20'), 'pass');
    });
  });

  describe('R21', () => {
    it('a doorbell while KVM has put the virtual CPU', () => {
      const put = `${table(1, true)}\n2 kvm.exit vcpu/0 reason=interrupt\n${table(3, false)}`;
      assert.deepEqual(found(made(`${put}\n${post(10, 'doorbell')}`), 'R21'), [
        '3 vcpu/0/avic: Vector 33 for vcpu/0 rang a doorbell, but no CPU runs it',
      ]);
      assert.equal(verdict(made(`${put}\n${table(9, true)}\n${post(10, 'doorbell')}`), 'R21'), 'pass');
    });
    it('IsRunning that was never set tells nothing (enable_ipiv=0)', () => {
      assert.equal(verdict(made(`${table(1, false)}\n${post(10, 'doorbell')}`), 'R21'), 'pass');
    });
    it('a doorbell to the CPU that the virtual CPU left', () => {
      const moved = `${table(1, true, 2)}\n${post(10, 'doorbell')}`;
      assert.deepEqual(found(made(`${moved}\n11 avic.doorbell vcpu/0 apicId=0x1`), 'R21'), [
        '2 vcpu/0/avic: Doorbell for vcpu/0 went to APIC id 1, it was loaded on 2',
      ]);
      assert.equal(verdict(made(`${moved}\n11 avic.doorbell vcpu/0 apicId=0x2`), 'R21'), 'pass');
    });
  });
});
