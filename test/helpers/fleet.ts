// A fleet of simulated hosts: what each one is, its trace as text, and what a plain reading of that text tells. Nothing here shares
// code with what writes or reads tables.

import { recipeHeader } from '../../src/sim/recipe.ts';
import { readScenario } from '../../src/sim/scenario.ts';
import { type Recipe, Simulation } from '../../src/sim/simulation.ts';
import { StreamRecorder } from '../../src/sim/stream.ts';

/** A capture of a host. */
export interface Planned {
  readonly host: string;
  readonly kernel: string;
  readonly date: string;
  readonly driver: string;
  /** Times that entry 1 is masked while a cause arises, and for how many microseconds. */
  readonly masks: number;
  readonly wait: number;
  /** The last mask is never cleared. */
  readonly stuck: boolean;
  /** The one CPU has fewer vectors than the driver asks for. */
  readonly exhausted: boolean;
}

const KERNELS = ['6.1.0', '6.6.30', '6.12.9'];
const DRIVERS = ['nvme', 'mlx5_core', 'ice', 'virtio-net'];
export const LAST_WEEK = '2026-11-18';
export const THIS_WEEK = '2026-11-25';
/** Every fifth host has a capture of last week, too. */
const EVERY = 5;

/** A host in a week. Last week each kernel was one older, no function was stuck, and some had another driver. */
function planned(i: number, now: boolean): Planned {
  const kernel = i % KERNELS.length;
  return {
    host: `host-${String(i).padStart(3, '0')}`,
    kernel: KERNELS[now ? kernel : Math.max(0, kernel - 1)]!,
    date: now ? THIS_WEEK : LAST_WEEK,
    driver: !now && i % 50 === 0 ? 'nvme-old' : DRIVERS[i % DRIVERS.length]!,
    masks: 1 + ((i * 7) % 5),
    wait: 10 + kernel * 15 + (i % 3),
    stuck: now && i % 20 === 5,
    exhausted: now && i % 80 === 13,
  };
}

/** The captures of so many hosts. */
export function plannedFleet(hosts: number): Planned[] {
  const all: Planned[] = [];
  for (let i = 0; i < hosts; i++) {
    if (i % EVERY === 0) all.push(planned(i, false));
    all.push(planned(i, true));
  }
  return all;
}

/** Vectors that x86 has for devices on one CPU: 256, less 32 exceptions and 21 of the system. */
const VECTORS = 203;
/** More than that, each of which is refused. */
export const TOO_MANY = 3;

const FUNCTION = 'device/0000:03:00.0';

/** Runs the simulator: the text of the trace of a capture. */
export function captureText({ driver, masks, wait, stuck, exhausted }: Planned): string {
  const workload: object[] = [
    { at: '2ms', op: 'device.raise', object: `${FUNCTION}/msix/0`, every: '20us', times: 20 },
  ];
  for (let i = 0; i < masks; i++) {
    const at = 3000 + 100 * i;
    workload.push({ at: `${at}us`, op: 'entry.mask', object: `${FUNCTION}/msix/1` });
    workload.push({ at: `${at + 5}us`, op: 'device.raise', object: `${FUNCTION}/msix/1` });
    if (!stuck || i < masks - 1)
      workload.push({ at: `${at + 5 + wait}us`, op: 'entry.unmask', object: `${FUNCTION}/msix/1` });
  }
  const scenario = readScenario({
    title: 'A host of a fleet',
    description: 'A function whose second vector is masked while it has a cause.',
    platform: { arch: 'x86', cpus: exhausted ? 1 : 2, remap: 'none' },
    devices: [{ bdf: '0000:03:00.0', name: driver, vectors: exhausted ? VECTORS + TOO_MANY : 2 }],
    workload,
  });
  if (!('devices' in scenario)) throw new Error(JSON.stringify(scenario));
  const recipe: Recipe = { scenario, seed: 1, settings: {}, operations: [] };
  const decoder = new TextDecoder();
  let text = '';
  const stream = new StreamRecorder(recipeHeader(recipe), (bytes) => {
    text += decoder.decode(bytes, { stream: true });
  });
  const run = new Simulation(recipe, stream);
  run.run(() => false);
  stream.end();
  return text;
}

/** What the lines of a trace say, read one by one. */
export interface Told {
  /** Mask bits that were set: of entries, and of the function. */
  readonly masks: number;
  readonly messages: number;
  /** Answers -ENOSPC of the vector domain, and the irqs that got them. */
  readonly refusals: number;
  readonly refused: ReadonlySet<string>;
  /** Nanoseconds from each cause to its handler. */
  readonly latencies: readonly number[];
  /** Entries with a cause that was neither sent nor merged. */
  readonly pending: ReadonlySet<string>;
}

/** MSI-X Vector Control in an entry, Message Control in config space here; the mask bits in them (PCIe 7.7.2). */
const [CONTROL, MASK] = ['0xc', 1];
const [MESSAGE_CONTROL, FUNCTION_MASK] = ['0x62', 0x4000];

/** Reads a trace as text, without any of the program. */
export function toldBy(text: string): Told {
  let [masks, messages, refusals] = [0, 0, 0];
  const refused = new Set<string>();
  const latencies: number[] = [];
  // What no record told before may have been clear.
  const masked = new Map<string, boolean>();
  const raised = new Map<string, { readonly at: number; readonly entry: string }>();
  const open = new Map<string, string>();
  const accepted = new Map<string, number>();
  const taken = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [stamp = '', cpu = '', , kind = '', object = '', ...rest] = line.split(' ');
    const at = Math.round(Number(stamp) * 1e9);
    const args = Object.fromEntries(rest.map((part) => part.split('=') as [string, string]));
    const { cause = '' } = args;
    const bit = args['offset'] === CONTROL ? MASK : args['offset'] === MESSAGE_CONTROL ? FUNCTION_MASK : 0;
    const isSet = (Number(args['value']) & bit) !== 0;
    if (bit !== 0 && /^(?:tbl|cfg)\.(?:read|write)$/.test(kind)) {
      if (kind.endsWith('write') && isSet && masked.get(object) !== true) masks++;
      masked.set(object, isSet);
    } else if (kind === 'vec.alloc' && args['ret'] === '-28') {
      refusals++;
      refused.add(object);
    } else if (kind === 'dev.raise') {
      raised.set(cause, { at, entry: object });
      open.set(cause, object);
    } else if (kind === 'merge') open.delete(cause);
    else if (kind === 'send') {
      messages++;
      open.delete(cause);
    } else if (kind === 'cpu.accept') accepted.set(object, raised.get(cause)!.at);
    else if (kind === 'cpu.take') taken.set(cpu, accepted.get(object)!);
    else if (kind === 'irq.entry' && taken.has(cpu)) {
      latencies.push(at - taken.get(cpu)!);
      taken.delete(cpu);
    }
  }
  return { masks, messages, refusals, refused, latencies, pending: new Set(open.values()) };
}
