import type { ObjectId, Step } from '../../base/ids.ts';
import { irqEntry, irqExit } from '../../model/events/irq.ts';
import {
  aplicConfigure,
  aplicEnable,
  aplicLine,
  aplicMap,
  aplicPend,
  aplicSend,
} from '../../model/events/platform/aplic.ts';
import { imsicClaim } from '../../model/events/platform/imsic.ts';
import { APLIC_LEVEL_HIGH, APLIC_LEVEL_LOW, aplicSourceConfig } from '../../model/registers/riscv.ts';
import type { State } from '../../model/state.ts';
import { aplicSource } from '../../model/things/riscv.ts';
import { Now } from '../history.ts';
import type { Rule } from '../rule.ts';

/** Nanoseconds behind the handler within which a kernel has ended the interrupt: it does that in the same flow. */
const ENDED = 1e6;

/** The last message of a source whose level is up since. */
interface Sent {
  readonly step: Step;
  /** The hart claimed it, or its handler ran. */
  taken: boolean;
  /** Its handler runs. */
  running: boolean;
  /** When the message was sent, taken, or handled: the last of these. */
  time: number;
}

/** R27. */
export const levelIsSentAgain: Rule<'R27'> = {
  id: 'R27',
  names: [],
  title: 'Level that is still up behind its handler and is not sent again',
  meaning:
    'A source of an APLIC in MSI delivery mode sends the message of a level once, and that clears its pending bit. Where the wire is still up behind the handler, software writes setipnum at the end of the interrupt; else nobody sends it, and no further cause makes an edge.',
  severity: 'error',
  reference:
    'RISC-V AIA 4.7, 4.9.2; drivers/irqchip/irq-riscv-aplic-msi.c aplic_msi_irq_eoi, aplic_msi_irq_retrigger_level',
  kinds: [aplicSend, aplicLine, aplicPend, aplicEnable, aplicConfigure, aplicMap, imsicClaim, irqEntry, irqExit],
  needs: [[aplicSend], [aplicLine]],
  needsAll: false,
  needsTime: true,
  notInLogs: 'the inputs and messages of an APLIC',
  confirm:
    'in_clrip, setip and setie of the source, and whether the kernel writes setipnum (0x2000) at the end of the interrupt',
  watch(report, scene) {
    const { world } = scene;
    const open = new Map<ObjectId, Sent>();
    /** The sources whose last message made an identity at a hart pending, and those of irqs. */
    const byIdentity = new Map<string, ObjectId>();
    const byIrq = new Map<string, ObjectId>();
    const now = new Now();
    let judged = 0;
    /** Its level is up, and it does not pend; whether it is enabled does not matter to that. */
    const waits = (state: State, source: ObjectId): boolean => {
      const mode = aplicSourceConfig.f.mode.of(state.get(source, aplicSource.at.config));
      return (
        (mode === APLIC_LEVEL_HIGH || mode === APLIC_LEVEL_LOW) &&
        state.flag(source, aplicSource.at.input) === true &&
        state.flag(source, aplicSource.at.requested) === false
      );
    };
    /** Something happened to the last message of a source. */
    const goesOn = (source: ObjectId | undefined, running?: boolean): void => {
      const sent = source === undefined ? undefined : open.get(source);
      if (!sent) return;
      sent.taken = true;
      sent.running = running ?? sent.running;
      sent.time = now.last;
    };
    return {
      event(step, happened, state) {
        now.at(happened);
        const { kind, object, words, at } = happened;
        if (kind === imsicClaim) goesOn(byIdentity.get(world.path(object)));
        else if (kind === irqEntry || kind === irqExit) goesOn(byIrq.get(world.path(object)), kind === irqEntry);
        else if (kind === aplicMap) {
          const { irq } = aplicMap.read(words, at);
          if (irq !== undefined) byIrq.set(`irq/${irq}`, object);
        } else if (kind === aplicSend) {
          judged++;
          const { cpu, identity } = aplicSend.read(words, at);
          byIdentity.set(`cpu/${cpu}/imsic/${identity}`, object);
          const running = open.get(object)?.running ?? false;
          open.set(object, { step, taken: false, running, time: now.last });
        } else if (!waits(state, object)) open.delete(object);
      },
      lost() {
        open.clear();
      },
      end(last, state) {
        for (const [source, { step, taken, running, time }] of open) {
          const enabled = state.flag(source, aplicSource.at.enabled) === true;
          if (!taken || running || !enabled || !waits(state, source)) continue;
          // A trace that shows everything tells the end of the interrupt: nothing is open behind its last event.
          const since = now.last - time;
          if (!(since >= ENDED) && !scene.complete) continue;
          const until = since > 0 ? `${scene.span(since, step, last)} later` : 'at the end of the trace';
          const name = `source ${world.node(source)?.segment} of the APLIC`;
          report({
            step,
            object: source,
            title: `the level of ${name} is up, and nobody sends it again`,
            text: `${name} sent its message, and that cleared its pending bit. The hart took it, its handler is over, and ${until} the wire still asserts an interrupt: the source is enabled, nothing pends, and nothing is on its way. The kernel did not write setipnum at the end of the interrupt. What the device has to tell is not told, and further causes make no edge.`,
            evidence: [],
            absent: { since: step, kinds: [aplicPend, aplicSend, aplicLine] },
          });
        }
      },
      get judged() {
        return judged;
      },
    };
  },
};
