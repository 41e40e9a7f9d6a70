import { errno } from '../irq/domain.ts';
import type { Eventfd } from './eventfd.ts';

// Layout and limits of struct vfio_irq_set: include/uapi/linux/vfio.h.

/** Data types: which values follow. */
export const DATA = { none: 1, bool: 2, eventfd: 4 } as const;

/** Actions. */
export const ACTION = { mask: 8, unmask: 16, trigger: 32 } as const;

/** How many interrupts each of the five indexes has. */
export type Irqs = readonly [number, number, number, number, number];

/** Bytes before the data. */
const HEADER = 20;

/** The argument of VFIO_DEVICE_SET_IRQS. */
export interface SetIrqs {
  readonly flags: number;
  readonly index: number;
  readonly start: number;
  readonly count: number;
  /** Eventfds; a number is -1 (none) or no eventfd at all. */
  readonly fds?: readonly (Eventfd | number)[];
  readonly bools?: readonly number[];
  /** Bytes that the caller says follow; as many as needed when absent. */
  readonly argsz?: number;
}

/** The number of an eventfd, or what was given instead of one. */
export const fdOf = (fd: Eventfd | number): number => (typeof fd === 'number' ? fd : fd.fd);

/** The action of the flags when it is exactly one. */
export function actionOf(flags: number): keyof typeof ACTION | undefined {
  switch (flags & 0x38) {
    case ACTION.mask:
      return 'mask';
    case ACTION.unmask:
      return 'unmask';
    case ACTION.trigger:
      return 'trigger';
    default:
      return undefined;
  }
}

/** What is wrong with the argument as such: -EINVAL, or undefined (vfio_set_irqs_validate_and_prepare). */
export function invalid({ flags, index, start, count, argsz }: SetIrqs, irqs: Irqs): number | undefined {
  const given = argsz ?? HEADER + 4 * count;
  if (given < HEADER || index >= irqs.length || count >= 0xffffffff - start || flags >>> 6 !== 0) return errno.EINVAL;
  const of = irqs[index] ?? 0;
  if (start >= of || start + count > of) return errno.EINVAL;
  const sizes: Readonly<Record<number, number>> = { [DATA.none]: 0, [DATA.bool]: 1, [DATA.eventfd]: 4 };
  const size = sizes[flags & 7];
  return size === undefined || given - HEADER < count * size ? errno.EINVAL : undefined;
}
