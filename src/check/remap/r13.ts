import type { ObjectId, Step } from '../../base/ids.ts';
import { lineSet } from '../../model/events/cpu.ts';
import { mark, message } from '../../model/events/notes.ts';
import { iecInvalidate, irEnable, irRemap } from '../../model/events/remap.ts';
import { pin } from '../../model/things/irq.ts';
import { Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';
import { irteName } from './names.ts';

/** Pins that the timer drives: ISA IRQ 0, and the pin that an override leads it to. */
const TIMER: ReadonlySet<string> = new Set(['0', '2']);
/** Linux waits ten ticks and wants more than four of them; with the lowest tick rate, HZ 100, that is so many ns. */
const WANTED = 5;
const WAIT = 100_000_000;
/**
 * What comes later than so many ns comes too late for kernels with a tick rate of 250 or more: these wait 40 ms, counted in cycles perhaps half as long
 * again. At HZ 100 six ticks fit into it.
 */
const SOON = 60_000_000;

/** R13. */
export const timerTicks: Rule<'R13'> = {
  id: 'R13',
  names: [],
  title: 'Timer does not work through the remapped I/O APIC',
  meaning:
    'Once interrupts are remapped, the timer at the I/O APIC ticks while the kernel tests it: more than four of ten ticks must arrive.',
  severity: 'error',
  reference: 'arch/x86/kernel/apic/io_apic.c check_timer, timer_irq_works, panic_if_irq_remap',
  kinds: [irEnable, iecInvalidate, irRemap, lineSet, message, mark],
  needs: [[irEnable], [lineSet], [irRemap]],
  needsAll: false,
  needsTime: true,
  confirm:
    'the console: "Kernel panic - not syncing: timer doesn\'t work through Interrupt-remapped IO-APIC"; whether the machine was overloaded just then',
  watch(report, scene) {
    const now = new Now();
    let enabled: Step | undefined;
    /** The first invalidation by index since: the first entry was set up. */
    let setUp: Step | undefined;
    let since = Number.NaN;
    /** The line of the timer while it is driven. */
    let line: ObjectId = -1;
    let lineStep: Step = -1;
    /** Ticks in all, and those that came soon. */
    let ticks = 0;
    let soon = 0;
    let others = 0;
    let last:
      | { readonly step: Step; readonly pin: ObjectId; readonly entry: ObjectId; readonly line: Step }
      | undefined;
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        // What the console says shows that time goes on.
        if (kind === message || kind === mark) return;
        if (kind === irEnable) {
          enabled = irEnable.read(words, at).enable ? step : undefined;
          setUp = undefined;
          since = Number.NaN;
          ticks = 0;
          soon = 0;
          others = 0;
          last = undefined;
        } else if (enabled === undefined || soon >= WANTED || others > 0) return;
        else if (kind === iecInvalidate) {
          if (setUp !== undefined || iecInvalidate.read(words, at).global) return;
          setUp = step;
          since = time;
        } else if (kind === lineSet) {
          const node = state.world.node(object);
          const timer = state.world.type(object) === pin && node?.parent?.parent?.parent?.segment === 'ioapic';
          if (!timer || !TIMER.has(node.segment)) return;
          line = lineSet.read(words, at).level ? object : -1;
          lineStep = step;
        } else if (line >= 0) {
          ticks++;
          const late = time - since > SOON;
          if (!late) soon++;
          if (!late || last === undefined) last = { step, pin: line, entry: object, line: lineStep };
        } else others++;
      },
      lost() {
        enabled = undefined;
      },
      end() {
        const waited = now.last - since;
        if (enabled === undefined || last === undefined || soon >= WANTED || others > 0 || !(waited >= WAIT)) return;
        const count = (n: number): string => (n === 1 ? 'one interrupt' : `${n} interrupts`);
        // More came in all than the kernel wants: most of them too late.
        const late = ticks >= WANTED;
        const came = count(late ? soon : ticks);
        const { step } = last;
        const from = setUp ?? enabled;
        const span = scene.span(late ? SOON : waited, from, step);
        const all = late
          ? `, ${count(ticks)} in the ${scene.span(waited, from, step)} up to the end of the trace`
          : ', up to the end of the trace';
        report({
          step: last.step,
          object: last.pin,
          title: `The timer does not work through the remapped I/O APIC: ${came} in ${span}`,
          text: `Interrupt remapping was switched on and ${irteName(scene.world, last.entry)} was set up for the timer; in the ${span} since then, ${came} of it came through${all}, and no other interrupt. Linux tests its timer for ten ticks and wants more than four to arrive; else it panics with "timer doesn't work through Interrupt-remapped IO-APIC". The messages that came were remapped and delivered as they should be: too few were raised${late ? ' in time' : ''}.`,
          evidence: steps(enabled, setUp, last.line),
          absent: { since: enabled, kinds: [irRemap] },
        });
      },
      get judged() {
        return enabled === undefined || last === undefined ? 0 : 1;
      },
    };
  },
};
