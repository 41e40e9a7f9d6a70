/** KVM_IRQFD as a kernel trace shows it: a probe at kvm_irqfd of virt/kvm/eventfd.c, and one at its return; or what a VMM wrote of its call. */
import { irqfdAssign, irqfdReturn } from '../../model/events/virt.ts';
import { type Ftrace, VM } from './context.ts';
import { noteIrqfd } from './eventfds.ts';

/** A call, as far as the probe fetched its arguments. */
interface Call {
  readonly fd: number | undefined;
  readonly gsi: number | undefined;
  readonly release: boolean | undefined;
}

/** KVM_IRQFD_FLAG_*: the eventfd is released; it has a resample eventfd. */
export const IRQFD_FLAGS = { DEASSIGN: 0x1, RESAMPLE: 0x2 };

const EBUSY = -16;

/** The call that each thread is in, by the number of the thread. */
const calls = new WeakMap<Ftrace, Map<number, Call>>();

/** KVM ties an eventfd to a GSI, or releases it. Arguments that are not known are left out. */
export function tellIrqfd(f: Ftrace, fd: number | undefined, gsi: number | undefined, flags: number | undefined): Call {
  const release = flags === undefined ? undefined : (flags & IRQFD_FLAGS.DEASSIGN) !== 0;
  f.notes();
  f.vcpus.belongsTo(f.process);
  const event = irqfdAssign.put();
  if (fd !== undefined) event.fd(fd);
  if (flags !== undefined) event.release(release!).resample((flags & IRQFD_FLAGS.RESAMPLE) !== 0);
  f.emit(event, f.object(gsi === undefined ? `${VM}/irqfd` : `${VM}/irqfd/${gsi}`));
  if (gsi !== undefined && fd !== undefined) noteIrqfd(f, fd, gsi, release === true);
  return { fd, gsi, release };
}

/** A call begins (probe at the function). */
export function beginIrqfd(f: Ftrace, call: Call): void {
  if (f.thread < 0) return;
  const known = calls.get(f);
  if (known === undefined) calls.set(f, new Map([[f.thread, call]]));
  else known.set(f.thread, call);
}

/** It returns (probe at the return of the function); false when its beginning was not seen. */
export function endIrqfd(f: Ftrace, ret: number): boolean {
  const call = calls.get(f)?.get(f.thread);
  if (call === undefined) return false;
  calls.get(f)!.delete(f.thread);
  const { fd, gsi, release } = call;
  const event = irqfdReturn.put().ret(ret);
  if (release !== undefined) event.release(release);
  f.emit(event, f.object(gsi === undefined ? `${VM}/irqfd` : `${VM}/irqfd/${gsi}`));
  // The eventfd of a call that failed is not tied, except where that is why it failed.
  if (ret < 0 && ret !== EBUSY && release === false && fd !== undefined && gsi !== undefined)
    noteIrqfd(f, fd, gsi, true);
  return true;
}
