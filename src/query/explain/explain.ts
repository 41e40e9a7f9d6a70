import { nearest } from '../nearest.ts';
import { addressKind } from './address.ts';
import { deviceKinds } from './device.ts';
import { hwirqKind } from './hwirq.ts';
import { itsKind } from './its.ts';
import type { Kind } from './kind.ts';
import { anyMessage, messageKinds } from './messages.ts';
import { brief, readPasted } from './paste.ts';
import type { Reading } from './reading.ts';
import { readRecord } from './records.ts';
import { remapKinds } from './remap.ts';

export type { Reading, Row } from './reading.ts';

const kinds: readonly Kind[] = [...messageKinds, addressKind, ...deviceKinds, ...remapKinds, hwirqKind, itsKind];

/** The kinds of values that can be explained, with what each is; `message` is the likeliest of the kinds of messages. */
export const explainable: readonly { readonly name: string; readonly title: string }[] = kinds;

/** A value that cannot be explained, and why. */
export interface Unexplained {
  readonly refused: string;
}

/**
 * What a pasted value means: as one kind of thing (`as`, or what the record is that it stands in), or as every kind that it fits, the likeliest first. A value fits a kind when it is
 * not too wide, when reserved bits are 0, and when its numbers can be what the kind's fields hold. Where it fits none it is read
 * with the reserved bits as they are. Bit layouts: src/model/registers.
 */
export function explain(text: string, as?: string): readonly Reading[] | Unexplained {
  const record = readRecord(text);
  const pasted = record?.pasted ?? readPasted(text);
  if (typeof pasted === 'string') return { refused: pasted };
  if (as !== undefined) {
    const kind = kinds.find(({ name }) => name === as);
    if (kind === undefined) return { refused: unknownKind(as) };
    const reading = kind.read(pasted);
    return typeof reading === 'string' ? { refused: reading } : [reading];
  }
  const told = kinds.find(({ name }) => name === record?.kind)?.read(pasted);
  if (told !== undefined && typeof told !== 'string') return [told];
  // Without an address it is no message to any domain.
  if (pasted.shape === 'message' && pasted.address === 0n) return [anyMessage.read(pasted) as Reading];
  // `message` is one of the others, by another name.
  const all = kinds.filter(({ name }) => name !== 'message').map((kind) => kind.read(pasted));
  const readings = all.filter((reading) => typeof reading !== 'string');
  const fitting = readings.filter(({ likely }) => likely > 0);
  const best = (fitting.length > 0 ? fitting : readings).toSorted((a, b) => b.likely - a.likely);
  if (best.length === 0) return { refused: `${brief(text)} is no value of a kind that can be explained` };
  return best;
}

function unknownKind(as: string): string {
  const names = kinds.map(({ name }) => name);
  const near = nearest(as, names, 1);
  return `there is no kind ${brief(as)}; ${near.length > 0 ? `did you mean ${near[0]}?` : `there are ${names.join(', ')}`}`;
}
