// A comparison as the timeline shows it, without an editor; used in Node and in the page.
import { compareTraces } from '../../src/query/diff/compare.ts';
import { compareStates } from '../../src/query/diff/states.ts';
import { ComparedEvents, ComparedSteps } from '../../src/view/comparison/parts.ts';
import type { ShownComparison } from '../../src/vscode/compare/compared-timeline.ts';
import type { ShownTrace } from '../../src/vscode/timeline/messages.ts';

type Picked = Parameters<ShownComparison['picked']>[0];

/** A comparison, the trace of it that is active, and what the user went to. */
export interface Compared extends ShownComparison {
  now: 'a' | 'b';
  readonly went: Picked[];
}

let ids = 2 ** 32;

/** Compares two traces; `steps`: two steps of one. */
export function comparison(a: ShownTrace, b: ShownTrace, steps?: readonly [number, number]): Compared {
  const [x, y] = [a.session.trace, b.session.trace];
  const found = steps
    ? new ComparedSteps(steps, compareStates(x, steps[0], y, steps[1]))
    : new ComparedEvents(compareTraces(x, y));
  const compared: Compared = {
    ...{ id: ++ids, a, b, found, now: 'a', went: [] },
    active: () => compared.now,
    activate: (side) => {
      compared.now = side;
    },
    picked: (place) => compared.went.push(place),
  };
  return compared;
}

/** Events as the text of a trace file, a millisecond apart: `cpu1 irq.entry irq/41 name=eth0`, or without a CPU. */
export function textOf(events: readonly string[]): string {
  const lines = events.map((event, i) => {
    const [, cpu, rest] = /^(?:(cpu\d+) )?(.*)$/.exec(event)!;
    return `${(i / 1000).toFixed(6)} ${cpu ?? '-'} - ${rest}`;
  });
  return `#irqtrace 1\n#clock seconds digits=6 "test"\n${lines.join('\n')}\n`;
}

export const ENTRY = 'device/0000:00:04.0/msix/0';

/** A run, and another one with another irq, another vector, and a cause more. */
export const GOOD: readonly string[] = [
  'vec.setup irq/41 legacy=false ret=0',
  'irq.identify irq/41 device=0000:00:04.0 hwirq=0 domain=PCI-MSIX-0000:00:04.0',
  'vec.update irq/41 vector=33 cpu=1 prevVector=0 prevCpu=0',
  `tbl.write ${ENTRY} offset=0xc size=4 value=0x0`,
  `dev.raise ${ENTRY} vector=0`,
  'cpu1 irq.entry irq/41 name=eth0',
  'cpu1 irq.exit irq/41 handled=true',
];
export const BAD = GOOD.flatMap((event) => (event.startsWith('dev.raise') ? [event, event] : [event])).map((event) =>
  event.replace('irq/41', 'irq/43').replace('vector=33', 'vector=35'),
);
