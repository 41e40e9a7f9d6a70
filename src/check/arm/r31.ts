import type { ObjectId, Step } from '../../base/ids.ts';
import { itsVmapp, itsVmovp, vpeResident } from '../../model/events/arm/gicv4.ts';
import { itsCommand, itsInt, itsTrans } from '../../model/events/its.ts';
import { cellTarget } from '../../model/references.ts';
import { itsEvent, itsVpe } from '../../model/things/remap.ts';
import { steps } from '../history.ts';
import type { Rule } from '../rule.ts';

/** The vPE that a VSYNC names. */
const VPE = /\bvpe (\d+)/i;

/** R31. */
export const vpesFollowCpus: Rule<'R31'> = {
  id: 'R31',
  names: [],
  title: 'Virtual LPI sent to a redistributor that the vPE left',
  meaning:
    'Before a vPE is resident at another redistributor, VMOVP tells the ITS, and a VSYNC behind it makes sure that no interrupt goes to the old one any more.',
  severity: 'error',
  reference:
    'Arm GIC (IHI 0069) 5.3 (VMOVP, VSYNC); drivers/irqchip/irq-gic-v3-its.c its_vpe_set_affinity, its_send_vmovp',
  kinds: [itsVmapp, itsVmovp, itsCommand, vpeResident, itsTrans, itsInt],
  needs: [[itsTrans, itsInt], [vpeResident], [itsVmapp, itsVmovp]],
  needsAll: false,
  confirm: 'kprobes on its_send_vmovp and its_vpe_schedule, and the commands in the queue of each ITS that has the vPE',
  watch(report, { world }) {
    /** The last command that gave a vPE its redistributor. */
    const sent = new Map<ObjectId, Step>();
    /** Moves that no VSYNC has completed, by vPE of an ITS. */
    const unfinished = new Map<ObjectId, Step>();
    /** Moves that one ITS told the others: a VSYNC there completes them. */
    const shared = new Set<ObjectId>();
    /** Where each vPE became resident, or left. */
    const resident = new Map<ObjectId, Step>();
    /** CPUs of which that was told since that command. */
    const told = new Map<ObjectId, number>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === vpeResident || kind === itsVmapp || kind === itsVmovp) {
          if (kind === vpeResident) {
            resident.set(object, step);
            return;
          }
          told.delete(object);
          sent.set(object, step);
          if (kind === itsVmovp) {
            unfinished.set(object, step);
            if (itsVmovp.read(words, at).sequence === undefined) shared.add(object);
            else shared.delete(object);
          } else unfinished.delete(object);
        } else if (kind === itsCommand) {
          const { name, text } = itsCommand.read(words, at);
          if (world.strings.text(name) !== 'VSYNC') return;
          const number = text === undefined ? undefined : VPE.exec(world.strings.text(text))?.[1];
          const vpe = number === undefined ? undefined : world.node(object)?.children.get('vpe')?.children.get(number);
          if (vpe) unfinished.delete(vpe.object);
          for (const moved of shared)
            if (world.node(moved)?.segment === number) {
              unfinished.delete(moved);
              shared.delete(moved);
            }
        } else {
          if (world.type(object) !== itsEvent || (kind === itsInt && !itsInt.read(words, at).set)) return;
          const vpe = cellTarget(state, object, itsEvent, 'vpe');
          const since = sent.get(vpe);
          if (vpe < 0 || since === undefined || state.flag(vpe, itsVpe.at.resident) !== true) return;
          judged++;
          const [cpu, target] = [state.num(vpe, itsVpe.at.cpu), state.num(vpe, itsVpe.at.target)];
          const moving = unfinished.get(vpe);
          if (cpu === target ? moving === undefined : told.get(vpe) === cpu) return;
          told.set(vpe, cpu);
          // Each interrupt until the VSYNC shows the same.
          if (cpu === target) unfinished.delete(vpe);
          const name = `vPE ${world.node(vpe)?.segment ?? '?'}`;
          const vlpi = `virtual LPI ${state.num(object, itsEvent.at.vlpi)}`;
          const ends =
            'It pends in memory: the virtual CPU sees it when its vPE becomes resident the next time, and no doorbell tells of it.';
          if (cpu !== target)
            report({
              step,
              object: vpe,
              title: `${name} is resident at CPU ${cpu}, and the ITS sends its interrupts to CPU ${target}`,
              text: `${name} became resident at the redistributor of CPU ${cpu}, and no VMOVP told the ITS: ${vlpi} went to CPU ${target}. ${ends}`,
              evidence: steps(since, resident.get(vpe)),
              absent: { since, kinds: [itsVmapp, itsVmovp] },
            });
          else
            report({
              step,
              object: vpe,
              title: `${name} was moved to CPU ${cpu} without a VSYNC, and an interrupt came for it`,
              text: `VMOVP moved ${name} to CPU ${cpu}, and no VSYNC made sure that the ITS does so before the next interrupt: ${vlpi} may have gone to the redistributor that the vPE left. ${ends}`,
              evidence: steps(moving, resident.get(vpe)),
              absent: { since: moving!, kinds: [itsCommand] },
            });
        }
      },
      lost() {
        sent.clear();
        unfinished.clear();
        shared.clear();
        told.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
