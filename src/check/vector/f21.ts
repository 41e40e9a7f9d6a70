import { noun } from '../../base/counted.ts';
import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import {
  mtxAlloc,
  mtxAllocManaged,
  mtxAssign,
  mtxFree,
  mtxOffline,
  mtxOnline,
  mtxRemoveReserved,
  mtxReserve,
  mtxReserveManaged,
} from '../../model/events/matrix.ts';
import { mark, message } from '../../model/events/notes.ts';
import { cpuObject, vectorDomain } from '../../model/events/places.ts';
import { vecAlloc, vecAllocManaged, vecReserveManaged, vecUpdate } from '../../model/events/vector.ts';
import type { State } from '../../model/state.ts';
import { cpu as cpuType, domain } from '../../model/things/irq.ts';
import { textOf } from '../names.ts';
import type { Breach, Rule } from '../rule.ts';
import { cpusOf, irqName, ownersOf } from './places.ts';

const ENOSPC = -28;
/** Attempts of one allocation follow each other within that time, ns: the kernel tries up to four masks. */
const SAME = 1_000_000;
/** Most CPUs whose owners a text lists. */
const MOST_CPUS = 4;

/** Records of the matrix that show how much is promised. */
const GLOBAL: readonly EventKind[] = [mtxReserve, mtxRemoveReserved, mtxOnline, mtxOffline];
const PER_CPU: readonly EventKind[] = [mtxAlloc, mtxAllocManaged, mtxAssign, mtxFree, mtxReserveManaged];
const FAILED = /\bIRQ ?(\d+): set affinity failed\(-28\)/;
/** activate_managed of arch/x86/kernel/apic/vector.c: its reservation gave no vector. */
const UNMANAGED = /\bManaged startup irq (\d+), no vector available/;
/** irq_matrix_reserve of kernel/irq/matrix.c: more is promised than is free. */
const PROMISED = /\bInterrupt reservation exceeds available resources/;

/** What the trace knows of free vectors: per CPU that is online, in words. */
function free(state: State): { readonly full: number[]; readonly rest: number; readonly text: string } {
  const full: number[] = [];
  let rest = 0;
  const words: string[] = [];
  for (const n of cpusOf(state)) {
    const object = cpuObject(state, n);
    if (state.flag(object, cpuType.at.online) === false) continue;
    const available = state.num(object, cpuType.at.available);
    if (available < 0) continue;
    if (available === 0) full.push(n);
    else rest += available;
    words.push(`CPU ${n} ${available}`);
  }
  return { full, rest, text: words.join(', ') };
}

/** `1 vector is`, `3 vectors are`. */
const vectorsAre = (count: number): string => `${count} ${noun(count, 'vector is', 'vectors are')}`;

/** What is known of the CPUs outside the mask: so many free vectors, of all or of those that records tell of. */
function elsewhere(count: number, all: boolean): string {
  if (count <= 0) return 'Whether other CPUs have room is not known.';
  const vectors = vectorsAre(count);
  return `Other CPUs have room: ${vectors} ${all ? '' : 'known to be '}free. The mask is exhausted, not the machine.`;
}

/** F21. */
export const findsVector: Rule<'F21'> = {
  id: 'F21',
  names: ['INV-RES'],
  title: 'No free vector',
  meaning: 'An irq finds a free vector on a CPU that it may go to, and no more vectors are promised than are free.',
  reference: 'kernel/irq/matrix.c irq_matrix_alloc (-ENOSPC), irq_matrix_reserve; arch/x86/kernel/apic/vector.c',
  severity: 'warning',
  kinds: [vecAlloc, vecAllocManaged, vecReserveManaged, vecUpdate, message, mark, ...GLOBAL, ...PER_CPU],
  needs: [[vecAlloc, vecAllocManaged, message, mark]],
  needsAll: false,
  confirm: '/sys/kernel/debug/irq/domains/VECTOR (free vectors and their owners, CPU by CPU) at that moment',
  watch(report, scene) {
    /** The last failed attempt of each irq, and what to tell of the first one unless the kernel finds a vector elsewhere. */
    const failed = new Map<ObjectId, { time: number; readonly breach: Breach }>();
    /** No failure is told before this time. */
    let late = Number.POSITIVE_INFINITY;
    let over = false;
    let judged = 0;
    const breachOf = (step: Step, object: ObjectId, managed: boolean, state: State): Breach => {
      const D = vectorDomain(state);
      const { full, rest, text } = free(state);
      const available = state.num(D, domain.at.available);
      const reserved = state.num(D, domain.at.reserved);
      const name = irqName(scene.world, object);
      const [why, cause] = managed
        ? [
            'of those set aside for managed irqs',
            'The vectors that are set aside on the CPUs of its mask are all taken, or could not be set aside.',
          ]
        : available === 0
          ? ['on any CPU', 'The whole machine is out of vectors.']
          : reserved >= 0 && available >= 0 && reserved > available
            ? [
                'because more are promised than are free',
                `${vectorsAre(reserved)} promised and ${available} ${noun(available, 'is', 'are')} free.`,
              ]
            : ['on the CPUs that it may go to', elsewhere(available > 0 ? available : rest, available > 0)];
      const owners = (full.length > 0 ? full : cpusOf(state)).slice(0, MOST_CPUS).map((n) => ownersOf(state, n));
      const held = owners.filter((list) => list !== '').join('; ');
      return {
        step,
        object,
        title: `${name} found no free vector ${why}`,
        text: `The allocation of a vector for ${name} failed with -28 (ENOSPC). ${cause}${text === '' ? '' : ` Free: ${text}.`}${held === '' ? '' : ` Held by: ${held}.`}`,
        evidence: [],
      };
    };
    const overdue = (time: number): void => {
      late = Number.POSITIVE_INFINITY;
      for (const [irq, { time: last, breach }] of failed)
        if (time - last > SAME) {
          failed.delete(irq);
          report(breach);
        } else late = Math.min(late, last + SAME);
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at, time } = happened;
        if (time > late) overdue(time);
        if (kind === vecAlloc || kind === vecAllocManaged || kind === vecReserveManaged) {
          const managed = kind !== vecAlloc;
          const { ret } =
            kind === vecAlloc
              ? vecAlloc.read(words, at)
              : kind === vecAllocManaged
                ? vecAllocManaged.read(words, at)
                : vecReserveManaged.read(words, at);
          judged++;
          if (ret !== ENOSPC) return;
          const before = failed.get(object);
          if (before === undefined) failed.set(object, { time, breach: breachOf(step, object, managed, state) });
          else before.time = time;
          late = Math.min(late, time + SAME);
        } else if (kind === vecUpdate) {
          const before = failed.get(object);
          if (before === undefined) return;
          failed.delete(object);
          const { breach } = before;
          const { cpu } = vecUpdate.read(words, at);
          report({ ...breach, severity: 'info', text: `${breach.text} The kernel then took a vector of CPU ${cpu}.` });
        } else if (kind === message || kind === mark) {
          const text = textOf(scene.world, happened);
          if (PROMISED.test(text)) {
            judged++;
            // The record of the reservation told it.
            if (over) return;
            report({
              step,
              object: scene.recorded(...GLOBAL) ? vectorDomain(state) : object,
              title: 'More vectors are promised than are free',
              text: `The kernel says: ${text.trim()}. request_irq() can fail for irqs that are not requested yet.`,
              evidence: [],
            });
            return;
          }
          const managed = UNMANAGED.exec(text)?.[1];
          const virq = managed ?? FAILED.exec(text)?.[1];
          if (virq === undefined) return;
          judged++;
          const irq = state.here.objectAt(`irq/${virq}`);
          const told = irq >= 0 ? failed.get(irq) : undefined;
          if (told !== undefined) {
            failed.delete(irq);
            report(told.breach);
            return;
          }
          report({
            step,
            object: irq >= 0 ? irq : object,
            title: `irq ${virq} found no free vector ${managed ? 'of those set aside for managed irqs' : 'on the CPUs that it may go to'}`,
            text: managed
              ? `${text.trim()}: the vectors that are set aside on the CPUs of its mask are all taken, or could not be set aside. It is not started.`
              : `${text.trim()}: the vectors of the CPUs in its mask are exhausted. It stays where it is.`,
            evidence: [],
          });
        } else {
          const a = GLOBAL.includes(kind) ? mtxReserve.read(words, at) : undefined;
          const available = a ? a.available : mtxAlloc.read(words, at).globalAvailable;
          const reserved = a ? a.reserved : mtxAlloc.read(words, at).reserved;
          const now = reserved > available;
          judged++;
          if (now && !over)
            report({
              step,
              object: vectorDomain(state),
              title: `${vectorsAre(reserved)} promised and ${available} ${noun(available, 'is', 'are')} free`,
              text: `${vectorsAre(reserved)} promised to irqs that are not requested yet, and ${available} ${noun(available, 'is', 'are')} free on all online CPUs: request_irq() can fail.`,
              evidence: [],
            });
          over = now;
        }
      },
      lost: () => failed.clear(),
      end() {
        for (const { breach } of failed.values()) report(breach);
      },
      get judged() {
        return judged;
      },
    };
  },
};
