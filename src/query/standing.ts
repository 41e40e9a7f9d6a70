import type { ObjectId, Step } from '../base/ids.ts';
import type { ObjectType } from '../model/objects.ts';
import { avic } from '../model/things/avic.ts';
import { imsEntry, piDescriptor } from '../model/things/ims.ts';
import { intid, vector } from '../model/things/irq.ts';
import { msi, msixEntry } from '../model/things/pci.ts';
import { vcpuVector } from '../model/things/virt.ts';
import { BEFORE_FIRST, type Trace } from '../trace/trace.ts';
import { type CellRun, lastChanges } from './writes.ts';

/**
 * What stands wrong at a step, with no event that tells of it. `masked`: a cause arose while its vector was masked, and no message
 * was sent. `untaken`: an interrupt was accepted (its request bit is set), and no CPU took it.
 */
export type Wrong = 'masked' | 'untaken';

export const WRONG_TEXT: Readonly<Record<Wrong, string>> = {
  masked: 'raised, masked and never sent',
  untaken: 'accepted and never taken',
};

/** One cause or interrupt that stands wrong. */
export interface Standing {
  readonly wrong: Wrong;
  /** Path of the entry, or of the vector at the CPU. */
  readonly path: string;
  /** The step since which it stands so. */
  readonly since: Step;
}

/** The key of a type that is set (a flag, or any bit of it) while something stands wrong. */
const SIGNS: ReadonlyMap<ObjectType, readonly [key: string, wrong: Wrong]> = new Map<ObjectType, [string, Wrong]>([
  [msixEntry, ['pending', 'masked']],
  [imsEntry, ['pending', 'masked']],
  [msi, ['pending', 'masked']],
  [vcpuVector, ['requested', 'untaken']],
  [vector, ['requested', 'untaken']],
  [intid, ['requested', 'untaken']],
  [piDescriptor, ['pir', 'untaken']],
  [avic, ['irr', 'untaken']],
]);

/** What stands wrong after the last event, in the order in which it began. What the trace does not tell is not counted. */
export function standingAtEnd(trace: Trace): Standing[] {
  const { head, world } = trace;
  const wrongs = new Map<ObjectId, Wrong>();
  const runs = new Map<ObjectId, CellRun>();
  for (let object = 0; object < world.objects; object++) {
    const type = world.type(object);
    const sign = type && SIGNS.get(type);
    const cell = sign && type.cells.find(({ name }) => name === sign[0]);
    if (!sign || !cell || !head.present(object)) continue;
    const first = type.at[cell.name]!;
    // Bits that are not known read 0.
    const words = Array.from({ length: cell.words }, (_, i) => head.get(object, first + i));
    if (words.every((word) => word === 0)) continue;
    const from = world.base(object) + first;
    wrongs.set(object, sign[1]);
    runs.set(object, [from, from + cell.words]);
  }
  const steps = lastChanges(trace, runs);
  return [...wrongs]
    .map(([object, wrong]) => ({ wrong, path: world.path(object), since: steps.get(object) ?? BEFORE_FIRST }))
    .sort((a, b) => a.since - b.since);
}
