import assert from 'node:assert/strict';
import { device, mention } from '../../src/model/things/pci.ts';
import { type PathNode, World } from '../../src/model/world.ts';

describe('the tree of objects', () => {
  it('does not grow deeper with each slash of a name', () => {
    const world = new World();
    const path = `domain/${'a/'.repeat(20_000)}b`;
    const object = world.object(mention, path);
    assert.equal(world.path(object), path);
    assert.equal(world.objectAt(path), object);
    assert.equal(world.find(path)?.object, object);
    let depth = 0;
    for (let node: PathNode | undefined = world.root; node !== undefined; depth++) [node] = [...node.children.values()];
    assert.ok(depth <= 65, `${depth} levels`);
  });

  it('has a level for each segment of a path of the usual length', () => {
    const world = new World();
    world.object(device, 'device/0000:00:03.0');
    assert.ok(world.find('device') !== undefined);
    assert.equal(world.find('device')?.object, -1);
  });
});
