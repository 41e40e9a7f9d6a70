// Functions by their requester IDs. A requester ID holds no PCI segment: functions of two segments can have the same one.

import type { ObjectId } from '../base/ids.ts';
import { requesterIn, requesterText } from './bdf.ts';
import type { Namespace, PathNode } from './namespace.ts';
import type { State } from './state.ts';
import { irq } from './things/irq.ts';
import { anyPresent } from './translate.ts';

/** The name of the function that an object belongs to, or that raises an irq; the empty text where it is not known. */
export function functionName(state: State, object: ObjectId): string {
  for (let node = state.world.node(object); node; node = node.parent)
    if (requesterIn(node.segment) >= 0) return node.segment;
  return state.world.type(object) === irq ? state.text(object, irq.at.device) : '';
}

/** The requester ID of the function that an object belongs to, or that raises an irq; -1 unknown. */
export const requesterOf = (state: State, object: ObjectId): number => requesterIn(functionName(state, object));

/** PCI segments among the names of the functions of a system, made again when functions were added. */
const known = new WeakMap<PathNode, { readonly functions: number; readonly segments: readonly string[] }>();

function segmentsBelow(functions: PathNode): readonly string[] {
  const { size } = functions.children;
  const before = known.get(functions);
  if (before?.functions === size) return before.segments;
  const segments = new Set<string>();
  for (const name of functions.children.keys()) if (requesterIn(name) >= 0) segments.add(segmentOf(name));
  const found = [...segments];
  known.set(functions, { functions: size, segments: found });
  return found;
}

/** The PCI segment of a BDF as text: `0000`. */
const segmentOf = (bdf: string): string => bdf.slice(0, bdf.indexOf(':'));

/**
 * Functions of other segments that have the requester ID of a function, as far as the trace has shown them. `near`: an object of the
 * system.
 */
export function namesakesOf(state: State, near: ObjectId, bdf: string): PathNode[] {
  const functions = state.world.spaceOf(near).find('device');
  if (functions === undefined || requesterIn(bdf) < 0) return [];
  const own = segmentOf(bdf);
  const found: PathNode[] = [];
  for (const segment of segmentsBelow(functions)) {
    if (segment === own) continue;
    const node = functions.children.get(segment + bdf.slice(own.length));
    if (anyPresent(state, node)) found.push(node!);
  }
  return found;
}

/** The functions of a system with a requester ID, at any time: several only in several segments. */
export function functionsNamed(space: Namespace, requester: number): PathNode[] {
  const functions = space.find('device');
  if (functions === undefined) return [];
  const text = requesterText(requester);
  const found: PathNode[] = [];
  for (const segment of segmentsBelow(functions)) {
    const node = functions.children.get(segment + text.slice(text.indexOf(':')));
    if (node !== undefined) found.push(node);
  }
  return found;
}

/** The functions with a requester ID that the trace has shown, in the system that an object belongs to. */
export const functionsAt = (state: State, near: ObjectId, requester: number): PathNode[] =>
  functionsNamed(state.world.spaceOf(near), requester).filter((node) => anyPresent(state, node));

/**
 * How people name a requester: the function that has that ID, in segment 0 where the trace names none; without a segment where
 * functions of several have it.
 */
export function requesterName(space: Namespace, requester: number): string {
  const [only, ...more] = functionsNamed(space, requester);
  const text = requesterText(requester);
  if (more.length > 0) return text.slice(text.indexOf(':') + 1);
  return only === undefined ? text : only.segment;
}
