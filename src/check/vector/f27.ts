import type { ObjectId, Step } from '../../base/ids.ts';
import { refused } from '../../model/event.ts';
import { cpuState } from '../../model/events/cpu.ts';
import { irqAffinity, irqManaged } from '../../model/events/irq.ts';
import { mtxOnline } from '../../model/events/matrix.ts';
import { cpuObject } from '../../model/events/places.ts';
import {
  vecActivate,
  vecAllocManaged,
  vecReserveManaged,
  vecSetup,
  vecTeardown,
  vecUpdate,
} from '../../model/events/vector.ts';
import type { State } from '../../model/state.ts';
import { cpu as cpuType, irq as irqType } from '../../model/things/irq.ts';
import type { Rule } from '../rule.ts';
import { irqName, isPlace } from './places.ts';

/** Time within which the kernel starts managed irqs after their CPU came online, ns. */
const DUE = 100_000_000;

/** A managed irq that is shut down. */
interface Down {
  readonly step: Step;
  /** CPUs that it went to: the only ones of its mask that the trace shows. */
  readonly cpus: ReadonlySet<number>;
  /** The event that brought one of them back, and its time; -1: none yet. */
  online: Step;
  time: number;
  cpu: number;
}

/** F27. */
export const managedFollow: Rule<'F27'> = {
  id: 'F27',
  names: ['INV-MAN'],
  title: 'Managed interrupt dead or refused',
  meaning:
    'A managed irq that is requested is shut down only while no CPU of its mask is online, and is started again with the first one; user space cannot move it.',
  reference:
    'kernel/irq/cpuhotplug.c irq_affinity_online_cpu, irq_restore_affinity_of_irq; kernel/irq/proc.c (-EPERM, -EIO before 7.2)',
  severity: 'error',
  kinds: [
    irqManaged,
    irqAffinity,
    cpuState,
    mtxOnline,
    vecActivate,
    vecAllocManaged,
    vecReserveManaged,
    vecUpdate,
    vecSetup,
    vecTeardown,
  ],
  needs: [[irqManaged, irqAffinity, vecReserveManaged]],
  needsAll: false,
  needsTime: true,
  confirm:
    'dstate (IRQD_MANAGED_SHUTDOWN) and effective affinity in /sys/kernel/debug/irq/irqs/<n>, and the CPUs that are online',
  watch(report, scene) {
    const down = new Map<ObjectId, Down>();
    /** CPUs that each managed irq had a vector on. */
    const went = new Map<ObjectId, Set<number>>();
    const told = new Set<ObjectId>();
    /** CPUs on their way offline: their vector map still counts as online. */
    const leaving = new Set<number>();
    let late = Number.POSITIVE_INFINITY;
    let judged = 0;
    const online = (state: State, cpu: number): boolean =>
      state.flag(cpuObject(state, cpu), cpuType.at.online) === true;
    const dead = (irq: ObjectId, is: Down): void => {
      down.delete(irq);
      const name = irqName(scene.world, irq);
      report({
        step: is.online,
        object: irq,
        title: `${name} is managed and was not started again when CPU ${is.cpu} came online`,
        text: `${name} was shut down when the last CPU of its mask went offline. CPU ${is.cpu}, which it had a vector on, is online again, and nothing started it: its queue gets no interrupt.`,
        evidence: [is.step],
        absent: { since: is.online, kinds: [irqManaged, vecActivate] },
      });
    };
    const overdue = (time: number): void => {
      late = Number.POSITIVE_INFINITY;
      for (const [irq, is] of down)
        if (is.online < 0) continue;
        else if (time - is.time > DUE) dead(irq, is);
        else late = Math.min(late, is.time + DUE);
    };
    const came = (step: Step, time: number, cpu: number): void => {
      for (const is of down.values())
        if (is.online < 0 && is.cpus.has(cpu)) {
          is.online = step;
          is.time = time;
          is.cpu = cpu;
          late = Math.min(late, time + DUE);
          judged++;
        }
    };
    return {
      event(step, { kind, object, cpu, time, words, at }, state) {
        if (time > late) overdue(time);
        if (kind === irqManaged) {
          if (!irqManaged.read(words, at).shutdown) {
            down.delete(object);
            return;
          }
          judged++;
          const cpus = went.get(object) ?? new Set<number>();
          down.set(object, { step, cpus, online: -1, time: 0, cpu: -1 });
          const left = [...cpus].find((n) => online(state, n) && !leaving.has(n));
          if (left === undefined) return;
          down.delete(object);
          report({
            step,
            object,
            title: `${irqName(scene.world, object)} is managed and was shut down while CPU ${left} is online`,
            text: `${irqName(scene.world, object)} had a vector on CPU ${left}, which is in its mask and online: there was no reason to shut it down.`,
            evidence: [],
          });
        } else if (kind === vecUpdate) {
          const a = vecUpdate.read(words, at);
          if (state.flag(object, irqType.at.managed) !== true || !isPlace(a.vector)) return;
          down.delete(object);
          const cpus = went.get(object);
          if (cpus === undefined) went.set(object, new Set([a.cpu]));
          else cpus.add(a.cpu);
        } else if (kind === cpuState) {
          const a = cpuState.read(words, at);
          const n = Number(state.world.node(object)?.segment);
          if (refused(a.ret)) return;
          if (a.online) {
            leaving.delete(n);
            came(step, time, n);
            return;
          }
          leaving.add(n);
          for (const [irq, is] of down)
            if (is.cpu === n && scene.complete) dead(irq, is);
            else if (is.cpu === n) Object.assign(is, { online: -1, cpu: -1 });
        } else if (kind === mtxOnline) came(step, time, cpu);
        else if (kind === irqAffinity) {
          const { ret } = irqAffinity.read(words, at);
          if (ret !== -1 && ret !== -5) return;
          judged++;
          if (told.has(object)) return;
          told.add(object);
          const name = irqName(scene.world, object);
          const managed = state.flag(object, irqType.at.managed) === true;
          const errno = `${ret} (${ret === -1 ? 'EPERM' : 'EIO'})`;
          report({
            step,
            object,
            severity: 'info',
            title: managed
              ? `${name} is managed: user space cannot move it`
              : `${name} cannot be moved by user space: it is not movable or managed`,
            text: managed
              ? `The kernel chose the CPUs of ${name} when its device was set up, and answers a write of its affinity with ${errno}. It follows its CPUs when they go offline and come back.`
              : `The kernel answers a write of the affinity of ${name} with ${errno}: its chip cannot move it, it belongs to one CPU, or it is managed. The trace does not tell which.`,
            evidence: [],
          });
        } else if (kind === vecActivate) down.delete(object);
        else if (kind === vecSetup || kind === vecTeardown) {
          down.delete(object);
          went.delete(object);
          told.delete(object);
        }
      },
      lost() {
        down.clear();
        went.clear();
      },
      end() {
        if (scene.complete) for (const [irq, is] of down) if (is.online >= 0) dead(irq, is);
      },
      get judged() {
        return judged;
      },
    };
  },
};
