// Random events over the whole vocabulary: kinds, objects of every type at paths that the path patterns allow, and words
// that are mostly sensible and sometimes anything. All from one seed, so that a failure can be had again.
import { pathTypes } from '../../src/model/paths.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { World } from '../../src/model/world.ts';
import { Trace } from '../../src/trace/trace.ts';

/** A stream of pseudo-random unsigned 32-bit numbers (mulberry32). */
export function randomWords(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Words that registers and rules are sensitive to. */
const TELLING = [
  0, 1, 2, 4, 8, 0x11, 0x40, 0x42, 0x81, 239, 255, 0x8000, 0xc000, 0xc005, 0x50110000, 0x00007005, 0xfee00298,
  0xfee00000, 0xffffffff, 0xfffffff4, 0x80000000,
];

const SEGMENTS: Readonly<Record<string, readonly string[]>> = {
  device: ['0000:00:03.0', '0000:00:04.0', 'nvme'],
  irte: ['0', 'dmar0', 'amdvi-0x18'],
  vfio: ['0000:00:03.0'],
};

/** A world with a few objects of every type, and some texts. */
export function smallWorld(): World {
  const world = new World();
  for (const text of ['nvme', 'eth0-rx-0', 'msix', 'msi', 'intx', '0000:00:03.0', 'local_timer'])
    world.strings.intern(text);
  for (const [pattern, type] of pathTypes) {
    const [room = ''] = pattern.split('/');
    const first = SEGMENTS[room] ?? ['0', '1'];
    for (const a of first) {
      for (const b of ['0', '1']) {
        let stars = 0;
        const path = pattern
          .split('/')
          .map((s) => (s.includes('*') ? s.replace('*', stars++ === 0 ? a.replace(/^amdvi-/, '') : b) : s))
          .join('/');
        world.object(type, path);
      }
    }
  }
  return world;
}

export interface RandomEvent {
  readonly kind: number;
  readonly cpu: number;
  readonly object: number;
  readonly words: Uint32Array;
}

/** Random events about the objects of a world. */
export function* randomEvents(world: World, seed: number, count: number): Generator<RandomEvent> {
  const next = randomWords(seed);
  const below = (n: number): number => next() % n;
  const byType = new Map<unknown, number[]>();
  for (let object = 0; object < world.objects; object++) {
    const type = world.type(object);
    byType.set(type, [...(byType.get(type) ?? []), object]);
  }
  const anyWord = (): number => {
    const chance = below(100);
    if (chance < 60) return below(6);
    if (chance < 90) return TELLING[below(TELLING.length)]!;
    return next();
  };
  for (let i = 0; i < count; i++) {
    const kind = below(vocabulary.length);
    const { on, args, size } = vocabulary[kind]!;
    const fitting = byType.get(on[below(Math.max(1, on.length))]) ?? [];
    const object = fitting.length > 0 && below(20) > 0 ? fitting[below(fitting.length)]! : below(world.objects);
    const words = new Uint32Array(Math.max(1, size)).map(anyWord);
    for (const arg of args) if (arg.type === 'o' && below(10) > 0) words[arg.at] = below(world.objects);
    yield { kind, cpu: below(6) - 1, object, words };
  }
}

/** A trace of random events. */
export function randomTrace(seed: number, count: number): Trace {
  const world = smallWorld();
  const time = { base: 0n, ticks: false, digits: 6 };
  const trace = new Trace(world, { file: 'random', format: 'none', variant: '', clock: 'none', cpus: 0, time });
  let step = 0;
  for (const { kind, cpu, object, words } of randomEvents(world, seed, count)) {
    trace.append(kind, step * 1000, cpu, object, 0, step + 1, step * 10, words);
    step++;
  }
  trace.accounting.lines = count;
  trace.accounting.records = count;
  trace.accounting.understood = count;
  return trace;
}
