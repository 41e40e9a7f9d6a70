// What rules about message addresses that user space gives (iommufd) share.
import type { ObjectId } from '../../base/ids.ts';
import { sourceOfIrq } from '../../model/irq-source.ts';
import type { State } from '../../model/state.ts';
import type { World } from '../../model/world.ts';

/** Host irqs of a device by the index of their vector: `0000:00:05.0/3`. */
export function vectorKey(state: State, object: ObjectId): string {
  const source = sourceOfIrq(state, object);
  return source === undefined ? '' : `${source.device}/${source.index}`;
}

/** The same of the address that user space gave for a vector, `iommufd/<id>/vmsi/<device>/<index>`. */
export function vmsiKey(world: World, object: ObjectId): string {
  const node = world.node(object);
  return `${node?.parent?.segment ?? '?'}/${node?.segment ?? '?'}`;
}

/** `vector 3 of 0000:00:05.0`. */
export function vectorName(key: string): string {
  const [dev, index] = key.split('/');
  return `vector ${index ?? '?'} of ${dev ?? '?'}`;
}
