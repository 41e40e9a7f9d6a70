// What must hold of the comparison of any trace with a copy of it that was changed in one place.
import assert from 'node:assert/strict';
import { scenarioNames } from '../../../scripts/scenarios.ts';
import { kindNamed } from '../../../src/model/vocabulary.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureTrace, importText, traceFixtures } from '../../helpers/fixtures.ts';
import { bundled, run } from '../../sim/run.ts';
import { linesOf, rowsBetween } from './helper.ts';
import { RENUMBERED } from './renumbered.ts';

/** Kinds that the help of `irqscope diff` says are not compared. */
const NOT_COMPARED =
  /^(?:kvm\.(?:entry|exit|userspace|mmio)|vfio\.region|vector\.(?:entry|exit)|thread\.\w+|ipi\.\w+|apic\.(?:local|ipi)|gic\.sgi|smmu\.(?:trans|bypass)|iommu\.(?:map|unmap))$/;
/** Interrupts of the system itself: vectors from 0xec on, INTIDs below 32, irqs of timers and IPIs. */
const SYSTEM = /cpu\/\d+\/(?:vector\/(?:23[6-9]|24\d|25\d)|intid\/(?:[0-2]?\d|3[01])) | vcpu\/\d+ /;
const SYSTEM_IRQ = / (\S*irq\/\d+) name=(?:IPI|timer|arch_timer)$/;

const isCompared = (line: string): boolean => {
  const name = line.split(' ')[3]!;
  const role = kindNamed(name)?.role;
  const looks = role === 'look' && !/^irte\.read/.test(name);
  return (
    role !== undefined &&
    !looks &&
    !/^(?:note|loss|begin)$/.test(role) &&
    !NOT_COMPARED.test(name) &&
    !SYSTEM.test(`${line} `)
  );
};

const traces: readonly (readonly [name: string, trace: () => Trace])[] = [
  ...scenarioNames().map((name) => [name, () => run(bundled(name)).trace] as const),
  ...traceFixtures().map((name) => [name, () => fixtureTrace(name)] as const),
];

/** Arguments whose change is seen as one changed argument, whatever the kind: neither identity nor length, place or count. */
const PLAIN =
  /^(?:vector|dest|cpu|prevVector|apicDest|data|masked|handled|reserve|enable|fmask|level|mode|collection|target|trigger)$/;

/** The line with another value of an argument; undefined when it has none that can be changed. */
function changed(line: string): { readonly line: string; readonly field: string } | undefined {
  if (/ (?:vec\.setup|dom\.alloc|route\.set) /.test(line)) return undefined;
  // The data of a message to an AMD unit is the number of the entry, by which the event is known already.
  if (
    / ir\.(?:request|message) irte\/amdvi-| send .* address=0xfee00000 | address=0xfee00004 | domain=AMD-IR/.test(line)
  )
    return undefined;
  for (const m of line.matchAll(/ (\w+)=(true|false|\d+|0x[0-9a-f]+)(?= |$)/g)) {
    if (!PLAIN.test(m[1]!)) continue;
    const old = m[2]!;
    const flag = old === 'true' ? 'false' : 'true';
    const now = /^[tf]/.test(old)
      ? flag
      : old.startsWith('0x')
        ? `0x${(BigInt(old) ^ 2n).toString(16)}`
        : String(Number(old) ^ 2);
    return { line: `${line.slice(0, m.index)} ${m[1]}=${now}${line.slice(m.index + m[0].length)}`, field: m[1]! };
  }
  return undefined;
}

describe('comparison of a trace with a changed copy', function () {
  this.timeout(120_000);
  let seed = 0;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
  for (const [name, load] of traces) {
    it(name, () => {
      // Each trace has draws of its own: another trace in the list changes none of them.
      seed = [...name].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);
      const trace = load();
      const { header, events } = linesOf(trace);
      const copy = (lines: readonly string[]): Trace => importText([...header, ...lines, ''].join('\n'));
      assert.deepEqual(rowsBetween(trace, copy(events)), [], 'a copy');
      for (const [what, renumber] of Object.entries(RENUMBERED)) {
        const others = events.map(renumber);
        if (others.some((line, step) => line !== events[step]))
          assert.deepEqual(rowsBetween(trace, copy(others)), [], what);
      }
      const system = new Set(events.flatMap((line) => SYSTEM_IRQ.exec(line)?.[1] ?? []));
      const told = events.flatMap((line, step) => (isCompared(line) && !system.has(line.split(' ')[4]!) ? [step] : []));
      if (told.length === 0) return;
      for (let round = 0; round < 2; round++) {
        const step = told[random(told.length)]!;
        const dropped = rowsBetween(trace, copy(events.toSpliced(step, 1)));
        assert.deepEqual([dropped.length, dropped[0]?.kind, dropped[0]?.at.b], [1, 'only-a', null], events[step]);
        // Of equal events in a row any may be taken for the one that is missing.
        assert.equal(events[dropped[0]!.at.a!]!.split(' ')[3], events[step]!.split(' ')[3]);
        const other = changed(events[step]!);
        if (other === undefined) continue;
        const rows = rowsBetween(trace, copy(events.with(step, other.line)));
        assert.deepEqual(
          rows.map(({ at, kind, field }) => ({ at, kind, field })),
          [{ at: { a: step, b: step }, kind: 'changed', field: other.field }],
          other.line,
        );
      }
    });
  }
});
