import type { ObjectId } from '../../base/ids.ts';
import { SHUTDOWN_VECTOR } from '../../model/events/places.ts';
import type { State } from '../../model/state.ts';
import { vector } from '../../model/things/irq.ts';
import type { World } from '../../model/world.ts';

/** A vector of a CPU as one number. */
export const placeKey = (cpu: number, v: number): number => cpu * 256 + v;

/** Whether a vector that a record of the vector domain names is one: 0 is none, 0xef the placeholder of reserved and shut down irqs. */
export const isPlace = (v: number): boolean => v !== 0 && v !== SHUTDOWN_VECTOR;

/** `vector 34 of CPU 1`. */
export const placeName = (cpu: number, v: number): string => `vector ${v} of CPU ${cpu}`;

/** `irq 24`, or `irq 24 of guest/0` for the irq of another kernel, as its path tells. */
export function irqName(world: World, object: ObjectId): string {
  const path = world.path(object);
  const match = /^(.*?)[/:]?irq\/(\d+)$/.exec(path);
  if (!match) return path;
  return match[1] === '' ? `irq ${match[2]}` : `irq ${match[2]} of ${match[1]}`;
}

/** Most irqs that a text lists for one CPU. */
const MOST = 12;

/** The irqs that hold vectors of a CPU as far as the trace tells, for texts: `CPU 2: irq 24, irq 31`; the empty text where none is known. */
export function ownersOf(state: State, cpu: number): string {
  const vectors = state.here.find('cpu')?.children.get(String(cpu))?.children.get('vector')?.children;
  const owners: string[] = [];
  for (const { object } of vectors?.values() ?? []) {
    const virq = state.num(object, vector.at.irq);
    if (virq >= 0) owners.push(`irq ${virq}`);
  }
  if (owners.length === 0) return '';
  const rest = owners.length - MOST;
  return `CPU ${cpu}: ${owners.slice(0, MOST).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** The numbers of the CPUs that the trace names, in order. */
export function cpusOf(state: State): number[] {
  const numbers = [...(state.here.find('cpu')?.children.keys() ?? [])].map(Number).filter(Number.isInteger);
  return numbers.sort((a, b) => a - b);
}
