/**
 * Eventfds: the number that VFIO was given for a vector, and that KVM was given for a GSI, is one of the process that called. Where
 * both calls are of one process, the vector is injected as that GSI. A record names the thread, and the process only with
 * `record-tgid`; threads of unknown processes are taken for one as long as nobody else has an eventfd of that number.
 */
import { vfioRoute } from '../../model/events/vfio.ts';
import { vfioVector } from '../../model/things/virt.ts';
import type { Ftrace } from './context.ts';

/** Who has an eventfd, and for what: the object of a vector, or a GSI. */
interface Use {
  readonly thread: number;
  readonly of: number;
}

class Eventfds {
  /** Vectors that signal an eventfd, and GSIs that it is injected as, by its number. */
  readonly vectors = new Map<number, Use[]>();
  readonly gsis = new Map<number, Use[]>();
  /** The eventfd of each vector. */
  readonly of = new Map<number, number>();
}

const known = new WeakMap<Ftrace, Eventfds>();

function eventfdsOf(f: Ftrace): Eventfds {
  let eventfds = known.get(f);
  if (eventfds === undefined) known.set(f, (eventfds = new Eventfds()));
  return eventfds;
}

/** Whether two threads are of one process; undefined where that is not known. */
function ofOneProcess(f: Ftrace, a: number, b: number): boolean | undefined {
  if (a === b && a >= 0) return true;
  const [p, q] = [f.processOf(a), f.processOf(b)];
  return p < 0 || q < 0 ? undefined : p === q;
}

/** The use that can belong to another: the one of its process, else the only one that is not known to be of another. */
function partnerOf(f: Ftrace, use: Use, others: readonly Use[]): Use | undefined {
  const own = others.filter(({ thread }) => ofOneProcess(f, use.thread, thread) === true);
  const maybe = own.length > 0 ? own : others.filter(({ thread }) => ofOneProcess(f, use.thread, thread) !== false);
  return maybe.length === 1 ? maybe[0] : undefined;
}

/** Tells of each vector that has an eventfd which GSI that is injected as. */
function tell(f: Ftrace, fd: number): void {
  const { vectors, gsis } = eventfdsOf(f);
  const [ours, theirs] = [vectors.get(fd) ?? [], gsis.get(fd) ?? []];
  for (const use of ours) {
    const partner = partnerOf(f, use, theirs);
    const gsi = partner !== undefined && partnerOf(f, partner, ours) === use ? partner.of : -1;
    if (f.out.state.num(use.of, vfioVector.at.virq) === gsi) continue;
    f.emit(gsi < 0 ? vfioRoute.put() : vfioRoute.put().virq(gsi), use.of);
  }
}

/** The thread at hand gave VFIO an eventfd for a vector. */
export function noteVector(f: Ftrace, vector: number, fd: number): void {
  const { vectors, of } = eventfdsOf(f);
  if (of.get(vector) !== fd) drop(f, vector);
  of.set(vector, fd);
  const { thread } = f;
  const others = (vectors.get(fd) ?? []).filter((use) => use.of !== vector);
  // A process that gives the number again has closed the eventfd before.
  vectors.set(fd, [...others.filter((use) => ofOneProcess(f, use.thread, thread) !== true), { thread, of: vector }]);
  tell(f, fd);
}

/** A vector signals no eventfd any more that is known. */
export function forgetVector(f: Ftrace, vector: number): void {
  drop(f, vector);
  if (f.out.state.num(vector, vfioVector.at.virq) >= 0) f.emit(vfioRoute.put(), vector);
}

function drop(f: Ftrace, vector: number): void {
  const { vectors, of } = eventfdsOf(f);
  const fd = of.get(vector);
  if (fd === undefined) return;
  of.delete(vector);
  vectors.set(
    fd,
    vectors.get(fd)!.filter((use) => use.of !== vector),
  );
  tell(f, fd);
}

/** KVM ties an eventfd of the thread at hand to a GSI, or releases it. */
export function noteIrqfd(f: Ftrace, fd: number, gsi: number, released: boolean): void {
  const { gsis } = eventfdsOf(f);
  const use = { thread: f.thread, of: gsi };
  const uses = gsis.get(fd) ?? [];
  if (!released) {
    // KVM refuses an eventfd that it has already (-EBUSY): one that is given again was closed before.
    gsis.set(fd, [...uses.filter(({ thread }) => ofOneProcess(f, thread, use.thread) !== true), use]);
  } else {
    const own = partnerOf(
      f,
      use,
      uses.filter(({ of }) => of === gsi),
    );
    gsis.set(
      fd,
      uses.filter((one) => one !== own),
    );
  }
  tell(f, fd);
}
