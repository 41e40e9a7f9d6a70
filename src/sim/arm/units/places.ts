// Where the ITSs of a host lie, and which functions each serves.
import * as v from 'valibot';

/** Address of the first ITS; each has 64 KiB of registers and 64 KiB with GITS_TRANSLATER. */
const FIRST_FRAME = 0x20200000;
const FRAME = 0x20000;
const TRANSLATER = 0x10040;

/** Physical address of the registers of an ITS. */
export const frameOf = (number: number): number => FIRST_FRAME + number * FRAME;

/** Physical address of GITS_TRANSLATER of an ITS. */
export const doorbellOf = (number: number): number => frameOf(number) + TRANSLATER;

/** What the driver calls an ITS in its messages (`ITS@%pa`). */
export const itsName = (number: number): string => `ITS@0x${frameOf(number).toString(16).padStart(16, '0')}`;

const requester = (meaning: string) =>
  v.pipe(
    v.string(),
    v.regex(/^0x[0-9a-f]{1,4}$/, 'a requester ID such as 0x300 was expected'),
    v.description(`${meaning}: bus in bits 15:8, device 7:3, function 2:0.`),
  );

/** The ITSs of a host. */
export const itsPlaces = v.pipe(
  v.array(
    v.strictObject({
      first: v.optional(requester('First requester ID that it serves'), '0x0'),
      last: v.optional(requester('Last requester ID that it serves'), '0xffff'),
    }),
  ),
  v.minLength(1),
  v.maxLength(16),
  v.description(
    'ITSs of an arm64 host (remap: its), each with the requester IDs that it serves, as the firmware maps them (IORT, msi-map). One for all when absent.',
  ),
);

/** Requester IDs that an ITS serves. */
export type ItsPlace = v.InferOutput<typeof itsPlaces>[number];

/** The only ITS of a host that tells none. */
export const ONE_ITS: readonly ItsPlace[] = [{ first: '0x0', last: '0xffff' }];

/** Number of the ITS that serves a requester ID, -1 none. */
export const itsOf = (places: readonly ItsPlace[], id: number): number =>
  places.findIndex(({ first, last }) => id >= Number(first) && id <= Number(last));

/** What is wrong with a list of ITSs, by its index. */
export function* placeProblems(places: readonly ItsPlace[]): Generator<readonly [number, 'first' | 'last', string]> {
  for (const [i, { first, last }] of places.entries()) {
    if (Number(last) < Number(first)) yield [i, 'last', 'it lies before the first'];
    const other = places.findIndex(
      (o, k) => k < i && Number(o.first) <= Number(last) && Number(first) <= Number(o.last),
    );
    if (other >= 0) yield [i, 'first', `ITS ${other} serves some of these requester IDs`];
  }
}
