import { noun } from '../../base/counted.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import { apicAccept, apicEoi, apicInject } from '../../model/events/apic.ts';
import { kvmEntry, kvmExit, kvmSeveral, kvmUserspace, vcpuReset } from '../../model/events/virt.ts';
import type { State } from '../../model/state.ts';
import { vcpu, vcpuVector } from '../../model/things/virt.ts';
import { isHalted } from '../kvm/descriptors.ts';
import type { Rule } from '../rule.ts';

/**
 * Nanoseconds for which an interrupt may wait at one stage. Handlers end within milliseconds, but a guest that writes its log to a slow
 * serial port keeps interrupts off for seconds.
 */
const HUNG = 10e9;

/** The same for one that never came out of its stage before the trace ended. */
const HUNG_AT_END = 2e9;

/** An interrupt that went into a stage and has not come out of it. */
interface Waiting {
  readonly vector: ObjectId;
  readonly step: Step;
  readonly time: number;
  /** It was injected; else it was accepted. */
  readonly injected: boolean;
  /** Entries of its virtual CPU into the guest since, and the last one. */
  entries: number;
  last: Step;
  lastTime: number;
}

/**
 * What ends the run of a whole machine: the guest resets itself with a triple fault (SDM vol. 3 "Interrupt 8"), or KVM tells the VMM of it. What
 * its local APICs held will never come out.
 */
const MACHINE_ENDS = /triple.?fault|^shutdown$|EXIT_SHUTDOWN|KVM_EXIT_S(?:HUTDOWN|YSTEM_EVENT)/i;

/** F82. A virtual CPU that starts from its reset state (INIT, or a reboot of the guest) has lost what its local APIC held. */
export const deliveryGoesOn: Rule<'F82'> = {
  id: 'F82',
  names: [],
  title: 'Guest hangs: delivery stops at one stage',
  meaning:
    'An interrupt that goes into a stage of its delivery comes out of it: what a local APIC accepted is injected, what was injected is ended, unless the virtual CPU is reset.',
  severity: 'error',
  reference: 'stages of delivery: accepted, injected, ended (Intel SDM vol. 3 "Local APIC": IRR, ISR, EOI)',
  kinds: [apicAccept, apicInject, apicEoi, kvmEntry, kvmExit],
  beside: [kvmUserspace, vcpuReset],
  needs: [[apicAccept], [apicInject], [kvmEntry, kvmExit]],
  needsAll: false,
  needsTime: true,
  confirm: 'the registers of the virtual CPU (RFLAGS.IF, TPR, ISR, IRR) and its halt state (kvm_vcpu_wakeup)',
  watch(report, scene) {
    const { world } = scene;
    /** By virtual CPU: the interrupts that wait at it. */
    const waiting = new Map<ObjectId, Map<ObjectId, Waiting>>();
    /** Vectors for which the trace shows what comes next: the absence of that counts. */
    const injects = new Set<ObjectId>();
    const ends = new Set<ObjectId>();
    /** The last entry of any virtual CPU: such records are still written. */
    let lastRun: Step = -1;
    let lastRunTime = Number.NaN;
    const several = !scene.complete && scene.recorded(kvmSeveral);
    let judged = 0;
    const begin = (vector: ObjectId, step: Step, time: number, injected: boolean): void => {
      const cpu = vcpuOf(vector);
      let list = waiting.get(cpu);
      if (list === undefined) waiting.set(cpu, (list = new Map()));
      list.set(vector, { vector, step, time, injected, entries: 0, last: step, lastTime: time });
    };
    const vcpuOf = (vector: ObjectId): ObjectId => world.node(vector)?.parent?.parent?.object ?? -1;
    const tell = (one: Waiting, step: Step, time: number): void => {
      const [cpu, vector] = [world.path(vcpuOf(one.vector)), world.node(one.vector)?.segment];
      const span = scene.span(time - one.time, one.step, step);
      const [stage, missing] = one.injected ? ['injected', 'ended'] : ['accepted', 'injected'];
      report({
        step: one.step,
        object: one.vector,
        title: `${cpu}: vector ${vector} was ${stage} and not ${missing} for ${span}`,
        text: `Vector ${vector} was ${stage} at ${cpu} and not ${missing} within ${span}, in which the virtual CPU entered the guest ${one.entries} ${noun(one.entries, 'time')}: ${one.entries === 0 ? 'it had halted, and nothing woke it' : one.injected ? 'its handler does not end, and everything of the same or a lower priority waits behind it' : 'the guest does not take interrupts (they are disabled, or one of higher priority is in service)'}. This is the first stage of the path that something went into and nothing came out of.`,
        evidence: [step],
        // Whose local APIC accepted it is not known among several virtual machines; a virtual CPU injects and ends in its own thread.
        absent: { since: one.step, kinds: one.injected ? [apicEoi] : several ? [] : [apicInject] },
      });
    };
    return {
      event(step, { kind, object, time, words, at }, state: State) {
        if (kind === vcpuReset) {
          // A reboot begins at the reset vector of one virtual CPU and resets the others too.
          const { by } = vcpuReset.read(words, at);
          if (world.strings.text(by) === 'INIT') waiting.delete(object);
          else waiting.clear();
          return;
        }
        if (kind === kvmUserspace) {
          if (MACHINE_ENDS.test(world.strings.text(kvmUserspace.read(words, at).reason))) waiting.clear();
          return;
        }
        if (kind === kvmEntry || kind === kvmExit) {
          if (kind === kvmEntry) {
            lastRun = step;
            lastRunTime = time;
          }
          const list = waiting.get(object);
          if (list === undefined || list.size === 0) return;
          if (kind === kvmExit && MACHINE_ENDS.test(state.text(object, vcpu.at.exitReason))) {
            waiting.clear();
            return;
          }
          for (const one of list.values()) {
            if (kind === kvmEntry) {
              one.entries++;
              one.last = step;
              one.lastTime = time;
            }
            if (!(time - one.time > HUNG) || one.entries === 0) continue;
            list.delete(one.vector);
            tell(one, step, time);
          }
          return;
        }
        if (kind === apicEoi) {
          waiting.get(vcpuOf(object))?.delete(object);
          ends.add(object);
          return;
        }
        if (world.type(object) !== vcpuVector) return;
        if (kind === apicAccept) {
          // The processor takes posted interrupts without a record.
          const { posted } = apicAccept.read(words, at);
          if (posted || state.flag(object, vcpuVector.at.requested) !== true || !injects.has(object)) return;
          judged++;
          const list = waiting.get(vcpuOf(object));
          if (list?.has(object) !== true) begin(object, step, time, false);
          return;
        }
        const { reinjected, extint } = apicInject.read(words, at);
        if (reinjected || extint === true) return;
        injects.add(object);
        waiting.get(vcpuOf(object))?.delete(object);
        if (!ends.has(object)) return;
        judged++;
        begin(object, step, time, true);
      },
      lost() {
        waiting.clear();
      },
      end(_last, state) {
        for (const list of waiting.values())
          for (const one of list.values())
            if (one.lastTime - one.time > HUNG_AT_END) tell(one, one.last, one.lastTime);
            else if (one.entries === 0 && isHalted(state, vcpuOf(one.vector)) && lastRunTime - one.time > HUNG_AT_END)
              tell(one, lastRun, lastRunTime);
      },
      get judged() {
        return judged;
      },
    };
  },
};
