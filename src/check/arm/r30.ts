import type { ObjectId, Step } from '../../base/ids.ts';
import { itsVmovi, vpeResident } from '../../model/events/arm/gicv4.ts';
import { gicPend } from '../../model/events/cpu.ts';
import { itsInt, itsTrans } from '../../model/events/its.ts';
import { kvmEntry, kvmExit } from '../../model/events/virt.ts';
import { cellTarget } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { itsEvent, itsVpe } from '../../model/things/remap.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import { isHalted } from '../kvm/descriptors.ts';
import type { Rule } from '../rule.ts';

/** Nanoseconds within which a doorbell makes KVM run a virtual CPU that waits. */
const SOON = 100e3;

/** A virtual LPI that pends at a virtual CPU that waits. */
interface Open {
  readonly step: Step;
  readonly vlpi: ObjectId;
  readonly time: number;
}

/** R30. */
export const doorbellWakes: Rule<'R30'> = {
  id: 'R30',
  names: [],
  title: 'Waiting virtual CPU not woken for a virtual LPI',
  meaning:
    'A virtual LPI that comes to pend while its vPE is not resident and its virtual CPU waits for an interrupt raises a doorbell, at which KVM runs the virtual CPU.',
  severity: 'error',
  reference:
    'Arm GIC (IHI 0069) 6.2, 6.3 (doorbells); arch/arm64/kvm/vgic/vgic-v4.c vgic_v4_put, vgic_v4_doorbell_handler',
  kinds: [itsTrans, itsInt, itsVmovi, gicPend, vpeResident, kvmEntry, kvmExit],
  needs: [[gicPend], [vpeResident], [kvmEntry, kvmExit]],
  needsAll: false,
  needsTime: true,
  confirm:
    'probes at vgic_v4_put (whether it wants the doorbell) and vgic_v4_doorbell_handler; the doorbell in VMAPP or VMAPTI, its configuration byte, and whether the guest has the LPI enabled',
  watch(report, scene) {
    const { world } = scene;
    /** vPE of each virtual CPU, as messages showed it. */
    const vpes = new Map<ObjectId, ObjectId>();
    const open = new Map<ObjectId, Open>();
    /** The EventID that the ITS worked on last: what pends next came by it. */
    let asked: ObjectId = -1;
    let last = Number.NaN;
    let judged = 0;
    const judge = (owner: ObjectId, step: Step, time: number, state: State, over: boolean): void => {
      const one = open.get(owner);
      if (one === undefined || !(time - one.time > SOON)) return;
      if (over && state.flag(one.vlpi, vcpuVector.at.requested) !== true) return;
      open.delete(owner);
      const [name, lpi] = [world.path(owner), world.node(one.vlpi)?.segment ?? '?'];
      const armed = state.flag(vpes.get(owner)!, itsVpe.at.armed);
      const span = scene.span(time - one.time, one.step, step);
      const why = over && armed === false ? ', and the doorbell of its vPE is not wanted' : '';
      report({
        step: one.step,
        object: one.vlpi,
        title: `Virtual LPI ${lpi} pends at ${name}, which waits for an interrupt: nothing woke it for ${span}`,
        text: `${name} waited for an interrupt, its vPE was not resident, and virtual LPI ${lpi} came to pend there${why}. It did not enter the guest in the ${span} since: no doorbell made KVM run it. The interrupt is taken when something else wakes the virtual CPU.`,
        evidence: [step],
        absent: { since: one.step, kinds: [kvmEntry] },
        lost: over,
      });
    };
    return {
      event(step, { kind, object, time, words, at }, state) {
        last = time;
        if (kind === kvmEntry) {
          judge(object, step, time, state, false);
          open.delete(object);
        } else if (kind === itsTrans || kind === itsInt || kind === itsVmovi)
          asked = world.type(object) === itsEvent ? object : -1;
        else if (kind === gicPend && world.type(object) === vcpuVector) {
          const owner = world.node(object)?.parent?.parent?.object ?? -1;
          if (!gicPend.read(words, at).pending) {
            if (open.get(owner)?.vlpi === object) open.delete(owner);
            return;
          }
          const vpe = asked < 0 ? -1 : cellTarget(state, asked, itsEvent, 'vpe');
          asked = -1;
          if (owner < 0 || vpe < 0) return;
          vpes.set(owner, vpe);
          judged++;
          if (state.flag(vpe, itsVpe.at.resident) !== false || !isHalted(state, owner) || open.has(owner)) return;
          open.set(owner, { step, vlpi: object, time });
        }
      },
      lost() {
        open.clear();
        asked = -1;
      },
      end(step, state) {
        for (const owner of [...open.keys()]) judge(owner, step, last, state, true);
      },
      get judged() {
        return judged;
      },
    };
  },
};
