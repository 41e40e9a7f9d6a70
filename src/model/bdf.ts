import { hexDigits } from '../base/hex.ts';
import { pciRequester } from './registers/pci.ts';

const { bus: BUS, device: SLOT, function: FUNCTION } = pciRequester.f;

/** Device (slot) and function number as a BDF ends with them: `03.0`. */
export const slotText = (slot: number, fn: number): string => `${hexDigits(slot, 2)}.${hexDigits(fn, 1)}`;

/** A BDF as text, with its segment: `0000:00:03.0`. */
export function bdfText(segment: number, bus: number, slot: number, fn: number): string {
  return `${hexDigits(segment, 4)}:${hexDigits(bus, 2)}:${slotText(slot, fn)}`;
}

/** A requester ID as a BDF in a segment. */
export const bdfOfRequester = (segment: number, requester: number): string =>
  bdfText(segment, BUS.of(requester), SLOT.of(requester), FUNCTION.of(requester));

/** A requester ID as a BDF in segment 0. */
export const requesterText = (requester: number): string => bdfOfRequester(0, requester);

/** The requester ID of a BDF with segment, such as `0000:6a:01.0`; throws when the text is no such BDF. */
export function requesterId(bdf: string): number {
  const requester = requesterIn(bdf);
  if (requester < 0) throw new Error(`${bdf} is no BDF with segment`);
  return requester;
}

/** The requester ID of a text that may be a BDF with segment; -1 when it is none. On Arm the same number is the DeviceID. */
export function requesterIn(text: string): number {
  const m = /^[0-9a-f]{4}:([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/.exec(text);
  if (!m) return -1;
  return BUS.put(Number.parseInt(m[1]!, 16)) | SLOT.put(Number.parseInt(m[2]!, 16)) | FUNCTION.put(Number(m[3]));
}
