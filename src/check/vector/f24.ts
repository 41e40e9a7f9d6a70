import type { ObjectId, Step } from '../../base/ids.ts';
import { cpuState } from '../../model/events/cpu.ts';
import { irqEntry } from '../../model/events/irq.ts';
import { mtxAlloc, mtxAssign, mtxFree, mtxOffline, mtxOnline, mtxUnsure } from '../../model/events/matrix.ts';
import { mark, message } from '../../model/events/notes.ts';
import { dropped } from '../../model/events/outcome.ts';
import { cpuObject, vectorObject } from '../../model/events/places.ts';
import { vecClear, vecConfig, vecFreeMoved, vecSetup, vecTeardown, vecUpdate } from '../../model/events/vector.ts';
import { processorsOf } from '../../model/reference.ts';
import type { State } from '../../model/state.ts';
import { cpu as cpuType, irq as irqType, vector as vectorType } from '../../model/things/irq.ts';
import { before } from '../history.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { irqName, isPlace, placeKey, placeName } from './places.ts';

/**
 * What kernels print of a vector without a handler (arch/x86/kernel/irq.c): `__common_interrupt: 1.55 No irq handler for vector`,
 * since 6.12 `No irq handler for 1.55`.
 */
const STRAY = /\b(\d+)\.(\d+) No irq handler for vector|\bNo irq handler for (\d+)\.(\d+)/;
/**
 * What kernels print of an interrupt at a vector of nobody (arch/x86/kernel/apic/apic.c handle_spurious_interrupt): it was in service and they
 * ended it, or it was not even in service. The vector 0xff of the local APIC itself is none of them.
 */
const SPURIOUS = /\bSpurious interrupt \(vector 0x([\da-f]+)\) on CPU#(\d+)[.,] (Acked|Not pending)/i;
/** What the local APIC of a simulated host says of a message whose vector is illegal. */
const ILLEGAL = /^vector \d+ is illegal\b/;
/** A CPU that was at work so shortly before and after (ns) was not offline in between. */
const AT_WORK = 10_000_000;

/** Where an irq goes, as its last record says. */
interface Place {
  cpu: number;
  vector: number;
  step: Step;
  /** The place before, while its vector is not freed; -1: none. */
  prevCpu: number;
}

/**
 * A handler ran where the irq should not go; it counts once the CPU of its vector is seen at work again. Until then that CPU may be offline: the
 * records of moves that are made while a CPU goes offline are missing.
 */
interface Suspect {
  readonly step: Step;
  readonly irq: ObjectId;
  readonly cpu: number;
  readonly place: Place;
  readonly before: number;
}

/** What such an interrupt means for the driver that waits for one. */
function fate(real: boolean, lost: boolean): string {
  if (!real) return 'Nothing was in service there: no interrupt is lost.';
  return lost ? 'The interrupt is lost.' : 'No handler got it; whether a driver waits for it is not known.';
}

/** F24. */
export const arrivesWhereOwned: Rule<'F24'> = {
  id: 'F24',
  names: ['INV-WHO'],
  title: 'Interrupt on a CPU or vector that does not own it',
  meaning:
    'An interrupt arrives on a vector that an irq owns, and its handler runs on the CPU of that vector, or on the previous one while a move is not finished. Where its handler runs on another CPU already, that CPU runs it once more.',
  reference: 'arch/x86/kernel/irq.c common_interrupt (No irq handler for vector); arch/x86/kernel/apic/vector.c',
  severity: 'error',
  kinds: [
    irqEntry,
    vecUpdate,
    vecConfig,
    vecFreeMoved,
    vecClear,
    vecSetup,
    vecTeardown,
    cpuState,
    mtxOnline,
    mtxOffline,
    mtxUnsure,
    dropped,
    message,
    mark,
  ],
  needs: [[vecUpdate, vecConfig, dropped, message, mark]],
  needsAll: false,
  needsTime: true,
  confirm:
    'irq_vectors:* events of the irq that owned the vector before; the message that the device holds (lspci, table dump)',
  watch(report, scene) {
    const places = new Map<ObjectId, Place>();
    /** Who gave a vector up last, by CPU and vector. */
    const left = new Map<number, { readonly irq: ObjectId; readonly step: Step; readonly time: number }>();
    /** When each CPU was seen at work last. */
    const seen: number[] = [];
    let suspects: Suspect[] = [];
    let judged = 0;
    /** A CPU that was offline in between would have brought its vector map online: a record of the matrix. */
    const matrix = scene.recorded(mtxAlloc, mtxFree, mtxAssign);
    const wrong = ({ step, irq, cpu, place }: Suspect, known = true): void =>
      report({
        step,
        object: irq,
        title: `the handler of ${irqName(scene.world, irq)} ran on CPU ${cpu}, its vector is on CPU ${place.cpu}`,
        text: `${irqName(scene.world, irq)} goes to ${placeName(place.cpu, place.vector)} since its last record${place.prevCpu >= 0 ? `, and until then went to CPU ${place.prevCpu}` : ''}; its handler ran on CPU ${cpu}, which does not own it.`,
        evidence: [place.step],
        // No kind of event shows that the CPU of the vector was online all the time: the rule is undecidable.
        ...(known ? {} : { absent: { since: place.step, kinds: [] } }),
      });
    /** `ended`: the event says itself that the interrupt of a cause ended there. `real`: an interrupt was in service. */
    const stray = (
      step: Step,
      time: number,
      cpu: number,
      v: number,
      state: State,
      said: string,
      ended: boolean,
      real = true,
    ): void => {
      const object = vectorObject(state, cpu, v);
      const owner = left.get(placeKey(cpu, v));
      const who = owner
        ? `${irqName(scene.world, owner.irq)} gave it up ${before(scene, time - owner.time, owner.step, step) || 'before'}: its device (or a message on its way) still went there`
        : 'no record tells of an owner: a torn message, the message of an irq that was freed, or the firmware';
      // Firmware raises such vectors while CPUs start, and no driver misses them.
      const lost = real && (ended || owner !== undefined);
      report({
        step,
        object,
        title: `an interrupt arrived at ${placeName(cpu, v)}, which no irq owns${owner ? `: ${irqName(scene.world, owner.irq)} had given it up` : ''}`,
        text: `${said.trim()}. ${who}. ${fate(real, lost)}`,
        evidence: owner ? [owner.step] : [],
        lost,
        ...(real ? {} : { severity: 'info' as const }),
      });
    };
    const gone = (cpu: number): void => {
      for (const [irq, place] of places) if (place.cpu === cpu || place.prevCpu === cpu) places.delete(irq);
      suspects = suspects.filter(({ place }) => place.cpu !== cpu);
    };
    return {
      event(step, happened, state) {
        const { kind, object, cpu, time, words, at } = happened;
        if (!scene.complete && cpu >= 0) {
          if (suspects.length > 0) {
            // A CPU that comes back was offline: the irq left it without a record.
            const back = kind === mtxOnline || kind === mtxUnsure;
            for (const suspect of suspects)
              if (suspect.place.cpu === cpu && !back) wrong(suspect, matrix || time - suspect.before < AT_WORK);
            suspects = suspects.filter(({ place }) => place.cpu !== cpu);
          }
          seen[cpu] = time;
        }
        if (kind === irqEntry) {
          const place = places.get(object);
          // The kernel of a simulated guest counts virtual CPUs, and its records name the CPU of the host.
          if (place === undefined || cpu < 0 || processorsOf(scene.world, object) === 'vcpu') return;
          judged++;
          if (cpu === place.cpu || cpu === place.prevCpu) return;
          // The interrupt came on the CPU that owns it; the one whose handler ran serves it (IRQS_PENDING).
          if (state.num(object, irqType.at.again) === cpu) return;
          const suspect = { step, irq: object, cpu, place, before: seen[place.cpu] ?? Number.NEGATIVE_INFINITY };
          if (scene.complete) wrong(suspect);
          else suspects.push(suspect);
          places.delete(object);
        } else if (kind === vecUpdate) {
          const a = vecUpdate.read(words, at);
          places.set(object, { cpu: a.cpu, vector: a.vector, step, prevCpu: isPlace(a.prevVector) ? a.prevCpu : -1 });
        } else if (kind === vecConfig) {
          const a = vecConfig.read(words, at);
          const place = places.get(object);
          if (!isPlace(a.vector)) places.delete(object);
          else if (place?.cpu !== a.cpu || place.vector !== a.vector)
            places.set(object, { cpu: a.cpu, vector: a.vector, step, prevCpu: -1 });
        } else if (kind === vecFreeMoved) {
          const a = vecFreeMoved.read(words, at);
          left.set(placeKey(a.cpu, a.vector), { irq: object, step, time });
          const place = places.get(object);
          if (place !== undefined) place.prevCpu = -1;
        } else if (kind === vecClear) {
          const a = vecClear.read(words, at);
          left.set(placeKey(a.cpu, a.vector), { irq: object, step, time });
          if (isPlace(a.prevVector)) left.set(placeKey(a.prevCpu, a.prevVector), { irq: object, step, time });
          places.delete(object);
        } else if (kind === vecSetup || kind === vecTeardown) places.delete(object);
        else if (kind === dropped) {
          if (state.world.type(object) !== vectorType) return;
          const reason = scene.world.strings.text(dropped.read(words, at).reason);
          const illegal = ILLEGAL.test(reason);
          if (reason !== 'no irq handler for vector' && !illegal) return;
          judged++;
          const node = state.world.node(object);
          stray(
            step,
            time,
            Number(node?.parent?.parent?.segment),
            Number(node?.segment),
            state,
            illegal
              ? 'The local APIC refused the vector: 0 to 15 are illegal'
              : 'The kernel has no handler for the vector',
            true,
          );
        } else if (kind === message || kind === mark) {
          const text = textOf(scene.world, happened);
          const m = STRAY.exec(text);
          const spurious = m === null ? SPURIOUS.exec(text) : null;
          if (m === null && spurious === null) return;
          judged++;
          if (m !== null) stray(step, time, Number(m[1] ?? m[3]), Number(m[2] ?? m[4]), state, text, false);
          else {
            const [, v, n, how] = spurious!;
            stray(step, time, Number(n), Number.parseInt(v!, 16), state, text, false, /acked/i.test(how!));
          }
        } else if (!scene.complete)
          gone(kind === mtxOffline || kind === mtxOnline ? cpu : Number(state.world.node(object)?.segment));
      },
      lost() {
        places.clear();
        left.clear();
        suspects = [];
      },
      end(_last, state) {
        for (const suspect of suspects)
          if (state.flag(cpuObject(state, suspect.place.cpu), cpuType.at.online) !== false) wrong(suspect, false);
      },
      get judged() {
        return judged;
      },
    };
  },
};
