import type { ObjectId } from '../../../base/ids.ts';
import { hwQueueAlloc, hwQueueDestroy } from '../../../model/events/arm/nested.ts';
import { hwQueue } from '../../../model/things/nested.ts';
import { errno } from '../../irq/domain.ts';
import type { Machine } from '../../machine.ts';
import type { Iommufd } from '../iommufd.ts';

/** Bytes of a command: the smallest queue has two. */
const SMALLEST = 32;

/**
 * The HW queues of a virtual IOMMU of type TEGRA241_CMDQV: logical command queues of a virtual interface, which the hardware maps in ascending and
 * unmaps in descending order (iommufd_hw_queue_alloc_ioctl of drivers/iommu/iommufd/viommu.c, tegra241_vintf_alloc_lvcmdq_user of
 * drivers/iommu/arm/arm-smmu-v3/tegra241-cmdqv.c).
 */
export class HwQueues {
  readonly #machine: Machine;
  readonly #fd: Iommufd;
  readonly #path: string;
  /** They are allocated in order, so the number of them says which exist. */
  #count = 0;

  /** `path`: of the virtual IOMMU. */
  constructor(machine: Machine, fd: Iommufd, path: string) {
    this.#machine = machine;
    this.#fd = fd;
    this.#path = path;
  }

  #object(index: number): ObjectId {
    return this.#machine.world.object(hwQueue, `${this.#path}/hwqueue/${index}`);
  }

  /** The queue into which the guest puts its commands; undefined when it has none. */
  get first(): ObjectId | undefined {
    return this.#count > 0 ? this.#object(0) : undefined;
  }

  /** IOMMU_HW_QUEUE_ALLOC; `supported`: whether the virtual IOMMU has such queues. */
  alloc(index: number, address: number, length: number, supported: boolean): void {
    const ret = this.#refusal(index, address, length, supported);
    this.#machine.emit(hwQueueAlloc, this.#object(index), { address, length, ret });
    if (ret === 0) this.#count++;
  }

  #refusal(index: number, address: number, length: number, supported: boolean): number {
    if (length === 0) return errno.EINVAL;
    if (!supported) return errno.EOPNOTSUPP;
    // The kernel pins the pages, which must follow one another in physical memory.
    const base = this.#fd.output(address, length);
    if (typeof base !== 'number') return base === 'scattered' ? errno.EFAULT : errno.ENOENT;
    if (index < this.#count) return errno.EEXIST;
    if (index > this.#count) return errno.EIO;
    const isPower = 2 ** Math.round(Math.log2(length)) === length;
    return !isPower || length < SMALLEST || base % length !== 0 ? errno.EINVAL : 0;
  }

  /** IOMMU_DESTROY: refused as long as a queue with a higher index hangs on it. */
  destroy(index: number): void {
    const ret = index >= this.#count ? errno.ENOENT : index < this.#count - 1 ? errno.EBUSY : 0;
    this.#machine.emit(hwQueueDestroy, this.#object(index), { ret });
    if (ret === 0) this.#count--;
  }
}
