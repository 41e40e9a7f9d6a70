// Messages that functions write: who wrote one, as far as the log tells.
import { msgSend } from '../../model/events/msix.ts';
import { pciRequester } from '../../model/registers/pci.ts';
import { mention } from '../../model/things/pci.ts';
import { requesterObject } from '../objects.ts';
import type { Message, Qemu } from './context.ts';

/** The requester ID in what a log prints: Arm's streams may have more bits. */
const requesterIn = (id: number): number => id & (2 ** pciRequester.width - 1);

/** A message was written to the bus. Behind an SMMU the entry holds the address before translation; the translation just before tells that and the sender. */
export function send(q: Qemu, message: Message): void {
  const { thread } = q;
  const translated = thread.smmuRequester >= 0 && thread.smmuOutput === message.lo;
  const requester = translated ? requesterIn(thread.smmuRequester) : -1;
  thread.smmuRequester = -1;
  emit(q, message, translated ? thread.smmuInput : message.lo, requester);
}

/**
 * A message was written to the unit of an AMD IOMMU. Each function has a table of its own there, so messages of several functions are often the same: the
 * next record on the thread (`amdvi_ir_remap_msi_req`, hw/i386/amd_iommu.c) tells which one wrote it.
 */
export function sendToAmd(q: Qemu, message: Message): void {
  if (q.thread.unsent !== undefined) {
    // Nothing has told of the message before: the log does not hold these records any more.
    q.tellsRequester = false;
    sendUnsent(q, -1);
  }
  if (q.tellsRequester) q.thread.unsent = message;
  else send(q, message);
}

/** The unit got a message from a requester: it is the one that was written just before, if the thread wrote one. */
export function receivedByAmd(q: Qemu, lo: number, hi: number, data: number, requester: number): void {
  q.tellsRequester = true;
  const { unsent } = q.thread;
  if (unsent === undefined) return;
  const same = unsent.lo === lo && unsent.hi === hi && unsent.data === data;
  sendUnsent(q, same ? requesterIn(requester) : -1);
}

/**
 * A message was written to a page of an IMSIC (hw/intc/riscv_imsic.c). Virtual CPUs write there, too: interrupts between them, and those of wires, which the
 * APLIC forwards. What a virtual CPU (`cpu`; negative: none) writes is the message of a function only where an entry holds it. False where it is none.
 */
export function sendToImsic(q: Qemu, message: Message, cpu: number): boolean {
  if (cpu >= 0 && q.pci.holders.of(message.lo, message.data, q.thread.raised, -1) < 0) return false;
  send(q, message);
  return true;
}

/** The log has ended: a message without a record that tells its requester was sent by the entry that holds it. */
export function sendRest(q: Qemu): void {
  for (const thread of q.threads) {
    q.thread = thread;
    if (thread.unsent !== undefined) sendUnsent(q, -1);
  }
}

function sendUnsent(q: Qemu, requester: number): void {
  const { unsent } = q.thread;
  q.thread.unsent = undefined;
  if (unsent !== undefined) emit(q, unsent, unsent.lo, requester);
}

/** `stored`: the low half of the address that the entry holds. `requester`: -1 where the log does not tell it. */
function emit(q: Qemu, { lo, hi, data, size }: Message, stored: number, requester: number): void {
  const { world } = q.out;
  const sender = requester < 0 ? -1 : requesterObject(world, requester);
  let holder = q.pci.holders.of(stored, data, q.thread.raised, sender);
  if (holder < 0) holder = world.object(mention, `message/0x${lo.toString(16)}/0x${data.toString(16)}`);
  const event = msgSend.put().address(lo, hi).data(data).size(size);
  if (requester >= 0) event.requester(requester);
  q.emit(event, holder);
  q.thread.raised = -1;
}
