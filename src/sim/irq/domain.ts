import type { ObjectId } from '../../base/ids.ts';
import type { PciFunction } from '../device/pci-function.ts';
import type { Actions } from '../machine.ts';

/** Negative errno of Linux, as events and answers carry them. */
export const errno = {
  EPERM: -1,
  ENOENT: -2,
  EIO: -5,
  EBADF: -9,
  EAGAIN: -11,
  ENOMEM: -12,
  EFAULT: -14,
  EBUSY: -16,
  EEXIST: -17,
  ENODEV: -19,
  EINVAL: -22,
  ENOTTY: -25,
  ENOSPC: -28,
  ERANGE: -34,
  EOPNOTSUPP: -95,
  EOVERFLOW: -75,
} as const;

/** Address and data of a message that a domain composed. */
export interface Composed {
  readonly address: number;
  readonly data: number;
}

/** What the irq core holds for one interrupt (struct irq_desc with its irq_data chain). */
export interface Irq {
  readonly virq: number;
  /** Its object: `irq/<virq>`, or `guest/<vm>/irq/<virq>` in a guest's kernel. */
  readonly object: ObjectId;
  /** Innermost domain: the one that stores the message. */
  readonly domain: Domain;
  /** Number inside the innermost domain: table index, IMS index. */
  readonly hwirq: number;
  /** The function that supplies the requester ID. */
  readonly device: PciFunction;
  /** The owner of the interrupt: a driver, a queue, a VFIO vector. It need not be a device (S1-2). */
  readonly owner: string;
  /** The block of messages that it belongs to; undefined: its message is its own. */
  readonly block: MessageBlock | undefined;
  /** CPUs that it may go to. */
  affinity: readonly number[];
  /** Where it is to go once its next interrupt comes (IRQD_SETAFFINITY_PENDING). */
  pendingAffinity: readonly number[] | undefined;
  /** CPU on which its driver keeps it; undefined: anyone may move it. */
  pinned?: number | undefined;
  /** Called when another one than its driver moved it (irq_set_affinity_notifier). */
  onMove?: (() => void) | undefined;
  /** Managed, and no CPU of its mask is online: shut down until one is. */
  managedShutdown: boolean;
  /** The kernel manages the affinity: user space may not change it. */
  readonly managed: boolean;
  /** The vector may be only reserved until request_irq(): only for interrupts that can be masked. */
  readonly canReserve: boolean;
  /** One caller changes it right now; others wait (desc->lock, request_mutex). */
  locked: boolean;
  /** Flows that are at work right now and will end: what frees the irq waits for them. */
  running: number;
  /** CPU on which its flow is at work (IRQD_IRQ_INPROGRESS): no other one runs its handler meanwhile; undefined: none is. */
  inProgress: number | undefined;
  /** The flow runs the action, without the lock of the irq. */
  acting: boolean;
  /** Causes of interrupts that came meanwhile (IRQS_PENDING); empty: none came. 0: a cause that is not known. */
  readonly latched: number[];
  /** Its flow masked it for one that came meanwhile, and unmasks it. */
  flowMasked: boolean;
  activated: boolean;
  started: boolean;
  masked: boolean;
  /** Name of the action, once request_irq() was called. */
  action: string | undefined;
  /** What the handler of the action does; false: it found nothing to do (IRQ_NONE). */
  handler: (() => Actions<unknown>) | undefined;
  /** Set while the irq is masked and its message must not be used: lazily disabled interrupts note that one came. */
  lazyPending: boolean;
  /** Called for every message that was stored for the irq (write_msi_msg of the MSI descriptor), so that holders of a copy can follow. */
  written?: ((message: Composed) => void) | undefined;
}

/** Interrupts that share one message: the function puts the number of each, its hwirq, into the low bits of the data (multiple MSI). */
export interface MessageBlock {
  readonly count: number;
}

/** Where an interrupt goes: CPU and vector. */
export interface Destination {
  readonly cpu: number;
  readonly vector: number;
}

/** Result of a domain's affinity callback: `ok` the message must be written again, `done` it need not, or an errno. */
export type AffinityResult = 'ok' | 'done' | number;

/**
 * A hierarchical irq domain. The four jobs: alloc, compose, store, use. A domain does those of its callbacks that it
 * has; it knows its parent only by this interface.
 */
export interface Domain {
  readonly name: string;
  /** Object in the world: `domain/<name>`. */
  readonly object: ObjectId;
  /** The domain closer to the CPU. */
  readonly parent: Domain | undefined;
  /** What stands before the names of the domains of functions above it (msi_parent_ops.prefix); absent: nothing. */
  readonly prefix?: string;
  /** It can give a block of interrupts one message (MSI_FLAG_MULTI_PCI_MSI). */
  readonly blocks?: boolean;
  /** Its interrupts come by wires: they are no messages of the function. */
  readonly wired?: boolean;
  /** It stores a message with one write: a move changes it at once, whatever its parent says. */
  readonly atomic?: boolean;
  /** The hwirq under which the domain has an interrupt of a function: its index, where the domain is of that function alone. */
  hwirqOf?(device: PciFunction, index: number): number;
  /** Allocates what the domain holds for the irq; 0 or a negative errno. Called parents first. */
  alloc(irq: Irq): Actions<number>;
  /** Frees it. Called child first. */
  free(irq: Irq): Actions;
  /** Programs the hardware; with `reserve` only a placeholder. Called parents first; 0 or a negative errno. */
  activate(irq: Irq, reserve: boolean): Actions<number>;
  /** Undoes that. Called child first. */
  deactivate(irq: Irq): Actions;
  /** Composes the message; domains that leave that to their parent have none. A number is a negative errno. */
  compose?(irq: Irq): Composed | number;
  /** Moves the interrupt to one of these CPUs. Domains that leave that to their parent have none. */
  setAffinity?(irq: Irq, cpus: readonly number[]): Actions<AffinityResult>;
  /** Interrupts of the domains right above move only while one of theirs is being handled (IRQCHIP_MOVE_DEFERRED). */
  readonly movesDeferred?: boolean;
  /** Where an irq goes now, for domains whose messages name it. */
  destination?(irq: Irq): Destination;
  /** The message for any target, for domains whose messages name it. */
  composeFor?(target: Destination): Composed;
  /** Writes a composed message to where the device finds it. Only the innermost domain stores. */
  store?(irq: Irq, message: Composed, by: string): Actions;
  /** Masks or unmasks at the device. */
  mask?(irq: Irq, masked: boolean): Actions;
  /** Called by the domain below before it lets the device send again. */
  unmasking?(irq: Irq): Actions;
  /** Called by the entry code of the vector before the handler (apic_ack_edge and what it completes). */
  ack?(irq: Irq, cpu: number): void;
  /** Called at the end of a level-triggered interrupt (irq_eoi of the chip), where the domain has something to do there. */
  end?(irq: Irq): Actions;
}

/** The domains of an irq from the device to the CPU. */
export function chain(domain: Domain): Domain[] {
  const all: Domain[] = [];
  for (let at: Domain | undefined = domain; at; at = at.parent) all.push(at);
  return all;
}
