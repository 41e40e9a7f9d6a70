/** A part of the system that acts. One word: the first half of the task of an event. */
export type ActorLayer =
  | 'device'
  | 'bus'
  | 'remap-unit'
  | 'cpu'
  | 'irq-core'
  | 'driver'
  | 'cdev'
  | 'vfio'
  | 'kvm'
  | 'vmm'
  | 'iommufd'
  | 'hypervisor'
  | 'guest-kernel'
  | 'guest-driver'
  | 'user';

/** What acts: a layer, its name in that layer, and the CPU on which it runs (-1: none). Shown as the task `layer/name`. */
export interface Actor {
  readonly layer: ActorLayer;
  readonly name: string;
  readonly cpu: number;
}

/**
 * Actions that take time, one after the other: a generator that yields the time (ns, 0 or more) until it goes on. Between two yields nothing
 * else happens; at a yield every other actor may come in between.
 */
export type Actions<T = void> = Generator<number, T, void>;
