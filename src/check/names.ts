// How findings name objects: in the words of the field, with the path's own numbers.
import type { ObjectId } from '../base/ids.ts';
import { mark, message } from '../model/events/notes.ts';
import type { World } from '../model/world.ts';
import type { Happened } from './rule.ts';

/** `0000:00:03.0` for a function, `0000:00:03.0 of guest` in a trace of several systems; its path for anything else. */
export function functionName(world: World, object: ObjectId): string {
  const path = world.path(object);
  const match = /^(?:(\w+):)?device\/([^/]+)$/.exec(path);
  return match ? `${match[2]}${match[1] === undefined ? '' : ` of ${match[1]}`}` : path;
}

/** What a line of a kernel log or of the emulator says, for events that hold one. */
export function textOf(world: World, { kind, words, at }: Happened): string {
  return world.strings.text(kind === message ? message.read(words, at).text : mark.read(words, at).text);
}

/** `entry 2 of 0000:00:03.0` for an MSI-X entry, `MSI of 0000:00:07.0` for an MSI capability, its path for anything else. */
export function entryName(world: World, object: ObjectId): string {
  const path = world.path(object);
  const single = /^((?:\w+:)?)device\/([^/]+)\/msi$/.exec(path);
  if (single) return `MSI of ${single[1]}${single[2]}`;
  const match = /^((?:\w+:)?)(?:device\/([^/]+)|(table\/[^/]+))\/(msix|ims)\/(\d+)$/.exec(path);
  if (!match) return path;
  const [, system, bdf, table, kind, index] = match;
  return `${kind === 'ims' ? 'IMS entry' : 'entry'} ${index} of ${system}${bdf ?? table}`;
}

/** `irq 41 (nvme0q1)`, with the names of its actions where they are known. */
export function irqName(world: World, object: ObjectId, action: string): string {
  const number = world.node(object)?.segment ?? world.path(object);
  return action === '' ? `irq ${number}` : `irq ${number} (${action})`;
}
