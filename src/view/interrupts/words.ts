import { withoutSystem } from '../../model/namespace.ts';
import { vfioIndexes } from '../../model/vfio-index.ts';

/** A path without its first segment, which a column or a word before it tells; the system stays. */
export function shortPath(path: string | null): string {
  if (path === null) return '';
  const own = withoutSystem(path);
  return `${path.slice(0, path.length - own.length)}${own.slice(own.indexOf('/') + 1)}`;
}

/** `device/0000:00:03.0/msix/0` as `0000:00:03.0 msix 0`. */
export const entryText = (path: string | null): string => shortPath(path).replaceAll('/', ' ');

/**
 * `cpu/2/vector/38` as `2/38`, `cpu/1/intid/8194` as `1/8194`; `vcpu/1/intid/8194` as `vcpu 1/8194`: a virtual LPI has a number that an LPI of the
 * host may have as well.
 */
export function vectorText(path: string | null): string {
  const place = shortPath(path).replace(/\/(?:vector|intid|imsic)\//, '/');
  return path !== null && /^vcpu\/\d+\/intid\//.test(withoutSystem(path)) ? `vcpu ${place}` : place;
}

/** `vfio/0000:00:03.0/2/0` as `0000:00:03.0 msix 0`. */
export function vfioText(path: string | null): string {
  const [device, index, vector] = shortPath(path).split('/');
  return index === undefined ? '' : `${device} ${vfioIndexes[Number(index)]?.name ?? index} ${vector}`;
}

/** `kvm/0/route/24` as `24`. */
export const gsiText = (path: string | null): string => shortPath(path).split('/').at(-1)!;

/** `guest/0/irq/24` as `vm 0 irq 24`, `guest:irq/24` as `guest:24`. */
export const guestIrqText = (path: string | null): string => shortPath(path).replace(/^(\d+)\/irq\//, 'vm $1 irq ');

/** A count; a question mark where the trace cannot show it. */
export const countText = (value: number | null): string => (value === null ? '?' : String(value));
