import { hexText } from '../../base/hex.ts';
import { isInterruptAddress, vtdAddress, vtdHandle, x86Address, x86Destination } from '../../model/registers/x86.ts';
import { type Kind, numbersOf, tooWide } from './kind.ts';
import { both, decode, derive, fitsIn, readingOf, wordsOf } from './reading.ts';

/** The address of an x86 message without its data. */
export const addressKind: Kind = {
  name: 'address',
  title: 'address of an x86 message, without its data',
  read(pasted) {
    const numbers = numbersOf('address', pasted, 1);
    if (typeof numbers === 'string') return numbers;
    const value = numbers[0]!.hex;
    if (!fitsIn(value, x86Address.width)) return tooWide(value, 'address', x86Address.width);
    const [lo, hi] = wordsOf(value, x86Address.width) as [number, number];
    if (!isInterruptAddress(lo)) return `${hexText(value)} is no address of an x86 interrupt message`;
    const remappable = vtdAddress.f.format.in(lo);
    const decoded = decode(remappable ? vtdAddress : x86Address, value);
    if (remappable) {
      const handle = vtdHandle(lo);
      derive(decoded, 'handle', handle, 'Bits 19:5 of the address, and bit 2 as the highest bit.');
      const rest = vtdAddress.f.shv.in(lo) ? ' plus the subhandle in the data' : ', whatever the data is';
      return readingOf('address', decoded, `remappable format: IRTE ${both(handle)}${rest}`, 78);
    }
    const destination = x86Destination(lo, hi);
    derive(decoded, 'destination', destination, 'The APIC id, or the logical destination, from all its parts.');
    const mode = decoded.fields['destMode'] === true ? 'logical destination' : 'APIC id';
    const text = `compatibility format: ${mode} ${both(destination)}; vector and delivery mode are in the data`;
    return readingOf('address', decoded, text, hi === 0 ? 78 : 20);
  },
};
