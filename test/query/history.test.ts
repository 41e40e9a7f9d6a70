import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { State } from '../../src/model/state.ts';
import { changesAt } from '../../src/query/changes.ts';
import { history } from '../../src/query/history.ts';
import { resolvePath } from '../../src/query/paths.ts';
import { pathValue } from '../../src/query/state.ts';
import { derivedKeys, viewObject } from '../../src/query/view.ts';
import { BEFORE_FIRST, type Trace } from '../../src/trace/trace.ts';
import { importText } from '../helpers/fixtures.ts';
import { randomTrace } from '../model/random.ts';

const seeds = fc.integer({ min: 0, max: 0xffffffff });

/** A register answers in a history with its value alone. */
const short = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'value' in value && 'fields' in value ? value.value : value;

/** A register of which nothing is known says no more than none. */
function told(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('value' in value) || !('fields' in value)) return value ?? null;
  const { fields } = value as { fields: object };
  return value.value === null && Object.values(fields).every((f) => f === null) ? null : value;
}

/** The path of a key: keys that are also the name of a child cannot be asked for. */
function keyPaths(trace: Trace): string[] {
  const { world } = trace;
  const out: string[] = [];
  for (let object = 0; object < world.objects; object++) {
    const type = world.type(object)!;
    const keys = [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
    for (const key of keys) {
      const path = `${world.path(object)}/${key}`;
      const target = resolvePath(world, path);
      if (target?.object === object && target.key === key) out.push(path);
    }
  }
  return out;
}

/** What the state holds at a path after each step, asked one step at a time. */
function values(trace: Trace, path: string): unknown[] {
  return Array.from({ length: trace.length + 1 }, (_, i) => {
    return told(pathValue(trace.stateAt(i - 1), path));
  });
}

describe('history', () => {
  it('of every key has exactly the steps at which its value changes, and writes that change nothing', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const trace = randomTrace(seed, 120);
        const paths = keyPaths(trace);
        assert.ok(paths.length > 200);
        for (const path of paths.filter((_, i) => (i + seed) % 5 === 0)) {
          const target = resolvePath(trace.world, path)!;
          const held = values(trace, path);
          const json = held.map((v) => JSON.stringify(v));
          const entries = [...history(trace, target)];
          const changed = json.flatMap((v, i) => (i > 0 && v !== json[i - 1] ? [i - 1] : []));
          const reported = new Set(entries.map((h) => h.step));
          for (const step of changed) assert.ok(reported.has(step), `${path} changes at step ${step}, unreported`);
          for (const h of entries) {
            assert.deepEqual(h.old, short(held[h.step]), `${path} before step ${h.step}`);
            assert.deepEqual(h.new, short(held[h.step + 1]), `${path} after step ${h.step}`);
            if (!changed.includes(h.step)) assert.ok(target.cell, `${path}: a computed key is not written`);
          }
        }
      }),
      { numRuns: 8 },
    );
  });

  it('of an object has the changes of all its keys', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const trace = randomTrace(seed, 100);
        const { world } = trace;
        for (let object = seed % 7; object < world.objects; object += 7) {
          const node = world.node(object)!;
          if (node.children.size > 0) continue;
          const entries = [...history(trace, resolvePath(world, node.path)!)];
          const expected: string[] = [];
          let old: Record<string, unknown> = {};
          for (let step = 0; step < trace.length; step++) {
            const state = trace.stateAt(step);
            const now: Record<string, unknown> = state.present(object) ? shown(state, object) : {};
            for (const key of keysOf(trace, object))
              if (JSON.stringify(told(old[key])) !== JSON.stringify(told(now[key])))
                expected.push(`${step} ${node.path}/${key} ${JSON.stringify(short(now[key] ?? null))}`);
            old = now;
          }
          assert.deepEqual(
            entries.map((h) => `${h.step} ${h.path} ${JSON.stringify(h.new)}`),
            expected,
          );
        }
      }),
      { numRuns: 8 },
    );
  });

  it('ends early where it is told to', () => {
    const trace = randomTrace(5, 8000);
    const target = resolvePath(trace.world, 'kvm/0/messages')!;
    const all = [...history(trace, target)];
    assert.ok(all.length > 2);
    assert.deepEqual([...history(trace, target, 2)], all.slice(0, 2));
  });

  it('of a message has the step at which a remapping unit appears, which changes how it reads', () => {
    const trace = importText(
      [
        '1@10.000000:pci_update_mappings_add nvme 00:03.0 0,0xfe000000+0x1000',
        "1@10.000001:memory_region_ops_write cpu 0 mr 0x1 addr 0xfe000000 value 0xfee00298 size 8 name 'msix-table'",
        "1@10.000002:memory_region_ops_write cpu 0 mr 0x1 addr 0xfe000008 value 0x0 size 4 name 'msix-table'",
        '1@10.000003:amdvi_ir_remap_msi_req addr 0xfee00000 data 0x2a devid 0x18',
      ].join('\n'),
    );
    const path = 'device/0000:00:03.0/msix/0/message';
    const json = values(trace, path).map((v) => JSON.stringify(v));
    const changed = json.flatMap((v, i) => (i > 0 && v !== json[i - 1] ? [i - 1] : []));
    assert.ok(changed.length >= 2, 'known first, then read differently');
    assert.deepEqual(
      [...history(trace, resolvePath(trace.world, path)!)].map((h) => h.step),
      changed,
    );
    for (const step of changed) assert.ok(changesAt(trace, step).some((c) => c.keys.some((k) => k.key === 'message')));
  });

  it('has writes that change nothing, but not reads that change nothing', () => {
    const at = "name 'msix-table'";
    const trace = importText(
      [
        '1@10.000000:pci_update_mappings_add nvme 00:03.0 0,0xfe000000+0x1000',
        `1@10.000001:memory_region_ops_write cpu 0 mr 0x1 addr 0xfe00000c value 0x1 size 4 ${at}`,
        `1@10.000002:memory_region_ops_read cpu 0 mr 0x1 addr 0xfe00000c value 0x1 size 4 ${at}`,
        `1@10.000003:memory_region_ops_write cpu 0 mr 0x1 addr 0xfe00000c value 0x1 size 4 ${at}`,
        `1@10.000004:memory_region_ops_write cpu 0 mr 0x1 addr 0xfe00000c value 0x0 size 4 ${at}`,
      ].join('\n'),
    );
    const of = (path: string): unknown[] =>
      [...history(trace, resolvePath(trace.world, path)!)].map((h) => [h.source.line, h.old, h.new]);
    assert.deepEqual(of('device/0000:00:03.0/msix/0/control'), [
      [2, null, '0x1'],
      [4, '0x1', '0x1'],
      [5, '0x1', '0x0'],
    ]);
    assert.deepEqual(of('device/0000:00:03.0/msix/0/control.mask'), [
      [2, null, true],
      [5, true, false],
    ]);
  });
});

const keysOf = (trace: Trace, object: number): string[] => {
  const type = trace.world.type(object)!;
  return [...type.cells.filter((c) => !c.hidden).map((c) => c.name), ...derivedKeys(type).map((d) => d.name)];
};

const shown = (state: State, object: number): Record<string, unknown> => viewObject(state, object);

describe('what a step changed', () => {
  it('is what a comparison of all objects before and after finds', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const trace = randomTrace(seed, 150);
        const { world } = trace;
        let before = trace.stateAt(BEFORE_FIRST);
        for (let step = 0; step < trace.length; step++) {
          const after = trace.stateAt(step);
          const expected: string[] = [];
          for (let object = 0; object < world.objects; object++) {
            const was = before.present(object);
            const is = after.present(object);
            const a = was ? shown(before, object) : {};
            const b = is ? shown(after, object) : {};
            const keys = keysOf(trace, object).filter(
              (k) => JSON.stringify(a[k] ?? null) !== JSON.stringify(b[k] ?? null),
            );
            if (was !== is || keys.length > 0)
              expected.push(`${was ? (is ? 'M' : 'D') : 'A'} ${world.path(object)} ${keys.sort().join(',')}`);
          }
          const found = changesAt(trace, step).map(
            (c) =>
              `${c.kind} ${c.path} ${c.keys
                .map((k) => k.key)
                .sort()
                .join(',')}`,
          );
          assert.deepEqual(found.sort(), expected.sort(), `step ${step}: ${trace.table.kind(step).name}`);
          before = after;
        }
      }),
      { numRuns: 8 },
    );
  });
});
