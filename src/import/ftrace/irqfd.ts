/** KVM_IRQFD as a kernel trace shows it: a probe at kvm_irqfd of virt/kvm/eventfd.c, and one at its return. */
import { irqfdReturn } from '../../model/events/virt.ts';
import { type Ftrace, VM } from './context.ts';
import { noteIrqfd } from './vfio.ts';

/** A call, as far as the probe fetched its arguments. */
interface Call {
  readonly fd: number | undefined;
  readonly gsi: number | undefined;
  readonly release: boolean | undefined;
}

const EBUSY = -16;

/** The call that each thread is in, by the number of the thread. */
const calls = new WeakMap<Ftrace, Map<number, Call>>();

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
