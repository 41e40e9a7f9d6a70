import { message } from '../../model/events/notes.ts';
import type { Actions } from '../machine.ts';
import type { Queues } from './queues.ts';

/** Nanoseconds from the interrupt of the device to the worker that requests handles again. */
const WORKER = 15_000;
/** Nanoseconds that the driver leaves a dedicated queue after it stopped its submitters: descriptors may be on their way (idxd/irq.c). */
const SETTLE = 100_000;

/**
 * What the driver does when the device revoked its interrupt handles (drivers/dma/idxd/irq.c idxd_int_handle_revoke): it requests each one again. Where
 * the device grants the same number nothing else happens. Where it is another one, a queue of the kernel stops its submitters, gets the new number,
 * goes on, and drains the old work with a descriptor that names the new handle. Users of other queues learn it with their next request.
 * Without the command it can only say so.
 */
export function* revocation(queues: Queues): Actions {
  const { machine, handles } = queues;
  yield WORKER;
  if (!handles.commands) {
    const text = 'interrupt handles were revoked, and the device has no command to request them again';
    machine.emit(message, queues.fn.object, { text });
    return;
  }
  for (const n of queues.all()) {
    for (const pasid of queues.users(n)) {
      const before = queues.handle(n, pasid);
      const index = queues.index(n, pasid);
      if (before < 0 || index === undefined) continue;
      const handle = yield* handles.request(index);
      // The queue may be destroyed while the driver works: its entry is given back, and so is the new handle.
      const isGone = (): boolean => queues.index(n, pasid) !== index;
      if (isGone()) {
        handles.release(handle);
        continue;
      }
      if (handle === before) continue;
      if (queues.front(n) !== 'kernel') {
        queues.rename(n, pasid, handle);
        continue;
      }
      queues.work.stop(n);
      yield SETTLE;
      if (isGone()) {
        handles.release(handle);
        queues.work.start(n);
        continue;
      }
      queues.rename(n, pasid, handle);
      queues.work.start(n);
      queues.work.submit(n, { pasid, handle, record: 0 });
    }
  }
}
