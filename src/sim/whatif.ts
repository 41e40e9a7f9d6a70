import { other } from '../model/events/notes.ts';
import { vocabulary } from '../model/vocabulary.ts';
import { World } from '../model/world.ts';
import { eventRow } from '../trace/row.ts';
import { Source } from '../trace/source.ts';
import { Trace } from '../trace/trace.ts';
import { operations } from './catalogue.ts';
import { designOf } from './design.ts';
import { functionOperations } from './device/function-operations.ts';
import { KnownFunction } from './device/known-function.ts';
import { KnownPort } from './iommu/known-port.ts';
import { remapOperations } from './iommu/remap-operations.ts';
import { Host, host } from './irq/host.ts';
import { Machine } from './machine.ts';
import type { Operation, OperationSpec } from './operation.ts';
import { TraceRecorder } from './recorder.ts';
import { readScenario } from './scenario.ts';
import { Setup } from './setup.ts';
import { type DoneOperation, SimulationError, SteppedRun } from './stepped-run.ts';

const FUNCTION = /^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;

/** Events `0` to `step` of a trace as a new one that can be continued: a world of its own, the same clock. */
export function copyUpTo(base: Trace, step: number): Trace {
  const { table, world: from, first } = base;
  const world = new World();
  const { file, format, variant, clock, cpus, header } = first;
  const facts = { file, format, variant, clock, cpus, time: base.time };
  const copy = new Trace(world, new Source(header ? { ...facts, header } : facts));
  const objects: number[] = [];
  const object = (n: number): number => (objects[n] ??= world.object(from.type(n)!, from.path(n)));
  const texts: number[] = [];
  const text = (n: number): number => (texts[n] ??= world.strings.intern(from.strings.text(n)));
  const recorder = new TraceRecorder(copy);
  const row = eventRow(other);
  const { words } = row;
  for (let at = 0; at <= step; at++) {
    const kind = vocabulary[table.kindNumber(at)]!;
    for (let i = 0; i < kind.size; i++) words[i] = table.word(at, i);
    for (const arg of kind.args) {
      if (arg.optional && (words[0]! & arg.bit) === 0) continue;
      if (arg.type === 's') words[arg.at] = text(words[arg.at]!);
      else if (arg.type === 'o') words[arg.at] = object(words[arg.at]!);
    }
    row.kind = kind;
    row.time = table.time(at);
    row.cpu = table.cpu(at);
    row.object = object(table.object(at));
    row.task = text(table.task(at));
    row.extra = text(table.extra(at));
    recorder.record(row);
  }
  return copy;
}

/** The time at which a trace goes on: that of the last event that has one. */
function lastTime(trace: Trace): number {
  for (let step = trace.length - 1; step >= 0; step--) {
    const time = trace.table.time(step);
    if (!Number.isNaN(time)) return time;
  }
  return 0;
}

/** A machine whose state is that of a trace, with the functions that the trace showed. */
function systemOf(trace: Trace): Setup {
  const machine = new Machine(new TraceRecorder(trace), 1, 0, lastTime(trace));
  const { world, state } = machine;
  const numbers = [...(world.find('cpu')?.children.keys() ?? [])].map(Number).filter(Number.isInteger);
  const scenario = readScenario({
    title: trace.first.file,
    description: 'What a trace showed.',
    platform: { cpus: Math.min(4096, Math.max(0, ...numbers) + 1) },
  });
  if (!('title' in scenario)) throw new SimulationError(scenario[0]?.problem ?? 'the trace cannot be continued');
  const setup = new Setup(machine, scenario, designOf({}));
  const part = setup.provide(host, new Host(setup));
  const port = new KnownPort(machine, part.root, trace.first.format === 'qemu-log');
  for (const { segment, object } of world.find('device')?.children.values() ?? [])
    if (FUNCTION.test(segment) && state.present(object))
      part.functions.set(segment, new KnownFunction(machine, segment, port));
  return setup;
}

/**
 * What can be done to a trace that was read, by name: operations that need no more than a function as the trace showed it. All
 * others reach into parts of the kernel, a hypervisor or a unit of which a trace shows the effects, not the insides.
 */
export const whatIfOperations: ReadonlyMap<string, OperationSpec> = new Map(
  [...functionOperations, ...remapOperations.filter(({ name }) => name === 'device.write')].map((s) => [s.name, s]),
);

/**
 * A what-if on a trace from a step on: its events up to there, then the effects of operations, as far as the
 * trace showed enough. Where it did not, `untold` events say what one would have to know.
 */
export class WhatIf extends SteppedRun {
  /** The trace that it leaves, and the last step that both share. */
  readonly base: Trace;
  readonly from: number;

  constructor(base: Trace, from: number, ahead: readonly DoneOperation[]) {
    super(systemOf(copyUpTo(base, from)), ahead);
    this.base = base;
    this.from = from;
    this.catchUp();
  }

  override perform(operation: Operation): string | undefined {
    if (operations.has(operation.op) && !whatIfOperations.has(operation.op))
      return `${operation.op} reaches into parts of the system of which a trace shows too little: only a simulated run can do it`;
    return super.perform(operation);
  }

  /** Leaves a trace after a step (-1: before its first event). */
  static of(base: Trace, step: number): WhatIf {
    return new WhatIf(base, step, []);
  }

  /** Header lines of its trace file: which trace it left and where, and what was done then. They inform; a reader cannot replay them. */
  get header(): readonly string[] {
    return [
      ...(this.base.first.header ?? []).filter((line) => !/^(scenario|seed|set|operation) /.test(line)),
      `whatif ${this.from} ${JSON.stringify(this.base.first.file)}`,
      ...this.done.map(({ after, operation }) => `whatif-operation ${after} ${JSON.stringify(operation)}`),
    ];
  }

  /** Makes the same again, with all of its operations. */
  again(): WhatIf {
    return new WhatIf(this.base, this.from, [...this.done, ...this.ahead]);
  }

  /** Makes the same again up to the action that made a step, without later operations. */
  upTo(step: number): WhatIf {
    if (step < this.from) return new WhatIf(this.base, step, []);
    const again = new WhatIf(this.base, this.from, this.doneBy(step));
    again.run(() => again.trace.length > step, step + 1);
    return again;
  }
}
