import type { ObjectId } from '../../base/ids.ts';
import type { World } from '../../model/world.ts';
import { resolvePath } from '../paths.ts';

/** The object at a path as users write it, looked up again while it is not there and the world grows; -1 while no object stands there. */
export function objectAt(world: World, path: string): () => ObjectId {
  let object: ObjectId = -1;
  let looked = -1;
  return () => {
    if (object < 0 && looked !== world.objects) {
      looked = world.objects;
      const target = resolvePath(world, path);
      object = target !== undefined && target.key === undefined ? target.object : -1;
    }
    return object;
  };
}
