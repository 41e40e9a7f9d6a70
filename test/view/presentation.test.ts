// Whatever can stand on a screen has words of its own: no segment of a path is shown as it is.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { firstSegment, lastSegment } from '../../src/base/path-pattern.ts';
import type { ObjectType } from '../../src/model/objects.ts';
import { mentionedRoots, pathTypes, typeOfPath } from '../../src/model/paths.ts';
import { PRESENT, State } from '../../src/model/state.ts';
import { cpu, domain } from '../../src/model/things/irq.ts';
import { device, mention, msixCap } from '../../src/model/things/pci.ts';
import { kvmTable } from '../../src/model/things/virt.ts';
import { World } from '../../src/model/world.ts';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import { LaneIndex } from '../../src/view/lanes/lanes.ts';
import { groupAt, groupCount, groupTitle, titleBelow } from '../../src/view/presentation/groups.ts';
import { outlineOf, sectionOf, sectionRank, sectionTitle } from '../../src/view/presentation/sections.ts';
import { presentations, summaryOf } from '../../src/view/presentation/types.ts';
import { fixtureTrace, traceFixtures } from '../helpers/fixtures.ts';
import { run } from '../sim/run.ts';

const patterns: readonly string[] = pathTypes.map(([pattern]) => pattern);
const roots = [...new Set([...patterns.map(firstSegment), ...mentionedRoots])];

// All that a path pattern leads through, itself included.
function prefixes(pattern: string): string[] {
  const segments = pattern.split('/');
  return segments.map((_, i) => segments.slice(0, i + 1).join('/'));
}

const isType = (value: unknown): value is ObjectType => typeof value === 'object' && value !== null && 'cells' in value;

describe('presentation', () => {
  it('covers all object types of the model', async () => {
    const folder = resolve(import.meta.dirname, '../../src/model/things');
    for (const file of readdirSync(folder)) {
      const module: Record<string, unknown> = await import(join(folder, file));
      for (const [name, type] of Object.entries(module))
        if (isType(type)) assert.ok(presentations.has(type), `${file} ${name}`);
    }
  });

  it('names two and more of each type, with a codicon', () => {
    for (const [type, { unit, icon, label }] of presentations) {
      assert.notEqual(unit[0], unit[1], type.name);
      assert.match(icon, /^[a-z]+(-[a-z]+)*$/, type.name);
      assert.notEqual(label('7', 'x'), '', type.name);
    }
  });

  for (const root of roots) {
    it(`has a title for the section ${root}`, () => {
      const title = sectionTitle(`${root}/0`);
      assert.ok(sectionOf(root), root);
      assert.notEqual(title, root);
      assert.equal(sectionTitle(`guest:${root}/0`), `${title} (guest)`);
    });
  }

  it('has a title for every group that paths lead through', () => {
    for (const path of new Set(patterns.flatMap(prefixes))) {
      if (!path.includes('/') || path === 'irte/amdvi-*') continue;
      if (pathTypes.some(([pattern]) => pattern === path)) continue;
      const sample = path.replaceAll('*', '3');
      assert.ok(groupAt(sample), `${path} is neither an object nor a group`);
      if (lastSegment(path) !== '*') assert.notEqual(groupTitle(sample), lastSegment(path), path);
      assert.ok(!groupAt(sample)!.oneOfMany || lastSegment(path) === '*', path);
    }
  });

  it('counts what is in a group in its own unit', () => {
    assert.equal(groupCount('device/0000:00:03.0/msix', 1), '1 entry');
    assert.equal(groupCount('kvm/0/msix', 2), '2 tables');
    assert.equal(groupCount('guest:irq', 3), '3 irqs');
    assert.equal(groupCount('guest/0', 2), '');
  });

  it('tells apart what has the same number in different places', () => {
    assert.equal(titleBelow('ioapic/0/pin/4', 'ioapic'), 'I/O APIC 0 pin 4');
    assert.equal(titleBelow('gic/0/spi/4', 'gic'), 'GIC 0 SPI 4');
    assert.equal(titleBelow('vfio/0000:00:03.0/2/4', 'vfio/0000:00:03.0'), 'MSI-X 4');
    assert.equal(titleBelow('guest/1/irq/24', 'guest'), 'Guest 1 irq 24');
    assert.equal(titleBelow('vcpu/0/intid/33', 'vcpu/0'), 'INTID 33');
    assert.equal(titleBelow('vcpu/0/vector/33', 'vcpu/0'), 'vector 33');
    assert.equal(titleBelow('guest:irq/41', 'guest:irq'), 'irq 41');
  });

  it('puts a path into the section and outline of its first segment, whatever system it is of', () => {
    assert.equal(sectionRank('l2:device/x'), sectionRank('device/y'));
    assert.ok(sectionRank('device') < sectionRank('irq'));
    assert.equal(outlineOf('guest:cpu/0/vector/33'), 'cpus');
    assert.equal(outlineOf('guest:device/0000:00:03.0'), 'devices');
    assert.equal(outlineOf('hypervisor/grant/1'), 'domains');
  });

  it('counts one thing in the singular', () => {
    const world = new World();
    const one = world.object(cpu, 'cpu/0');
    const matrix = world.object(domain, 'domain/VECTOR');
    const capability = world.object(msixCap, 'device/0000:00:03.0/msixcap');
    const table = world.object(kvmTable, 'kvm/0/msix/0');
    const state = new State(world);
    for (const [object, cells] of [
      [one, [cpu.at.allocated]],
      [matrix, [domain.at.allocated, domain.at.onlineMaps]],
      [table, [kvmTable.at.entries]],
    ] as const) {
      state.set(object, PRESENT, 1);
      for (const cell of cells) state.set(object, cell, 1);
    }
    assert.equal(summaryOf(state, one).description, '1 vector allocated');
    assert.equal(summaryOf(state, matrix).description, '1 CPU, 1 vector allocated');
    assert.match(summaryOf(state, table).description, /1 entry,/);
    assert.match(summaryOf(state, capability).description, /\? entries/);
  });

  it('adds the name that the trace gives', () => {
    const world = new World();
    const object = world.object(device, 'device/0000:00:03.0');
    const state = new State(world);
    state.set(object, PRESENT, 1);
    state.set(object, device.at.name, world.strings.intern('nvme'));
    assert.equal(summaryOf(state, object).label, '0000:00:03.0 nvme');
  });

  it('knows the section of everything that captures and scenarios name', () => {
    const simulated = bundledScenarios.map(({ document }) => run(document as object).trace);
    for (const trace of [...traceFixtures().map(fixtureTrace), ...simulated]) {
      for (const segment of trace.world.root.children.keys()) assert.ok(sectionOf(segment), segment);
      const index = new LaneIndex(trace);
      index.advance();
      for (const { path, label } of index.tree.list(trace.head)) {
        const type = typeOfPath(path);
        if (type !== mention && /^[a-z]+$/.test(lastSegment(path))) assert.notEqual(label, lastSegment(path), path);
      }
    }
  });
});
