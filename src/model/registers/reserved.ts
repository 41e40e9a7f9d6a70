import type { Access, Field } from '../register.ts';

/** Reserved bits `hi` to `lo`; named by their lowest bit, so that several of them keep distinct names. */
export function reserved(hi: number, lo: number, access: Access = 'RsvdZ'): Field {
  return { name: `reserved${lo}`, hi, lo, access, meaning: 'Reserved.' };
}

/** The fields with every bit of 0 to `width` - 1 that none of them covers made reserved; sorted by bit. */
export function withReserved(width: number, fields: readonly Field[], access: Access = 'RsvdZ'): readonly Field[] {
  const all: Field[] = [];
  let next = 0;
  for (const field of [...fields].sort((a, b) => a.lo - b.lo)) {
    if (field.lo > next) all.push(reserved(field.lo - 1, next, access));
    all.push(field);
    next = field.hi + 1;
  }
  if (next < width) all.push(reserved(width - 1, next, access));
  return all;
}
