// Random events over the whole vocabulary: kinds, objects of every type at paths that the path patterns allow, and words
// that are mostly sensible and sometimes anything. All from one seed, so that a failure can be had again.
import type { ObjectType } from '../../src/model/objects.ts';
import { pathTypes, typeOfPath } from '../../src/model/paths.ts';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { World } from '../../src/model/world.ts';
import { Source } from '../../src/trace/source.ts';
import { Trace } from '../../src/trace/trace.ts';
import { rowOf } from '../helpers/row.ts';

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

/** Paths of a few objects of every type. */
const THINGS: readonly (readonly [ObjectType, string])[] = pathTypes.flatMap(([pattern, type]) => {
  const [room = ''] = pattern.split('/');
  const paths = (SEGMENTS[room] ?? ['0', '1']).flatMap((a) => ['0', '1'].map((b) => fill(pattern, a, b)));
  // A unit of AMD has entries of AMD.
  return [...new Set(paths)].filter((path) => typeOfPath(path) === type).map((path) => [type, path] as const);
});

/** A path of a pattern: the first `*` is `a`, the others are `b`; `amdvi-*` takes no `amdvi-` twice. */
function fill(pattern: string, a: string, b: string): string {
  let stars = 0;
  const segment = (s: string): string => s.replace('*', stars++ === 0 ? a : b).replace(/^amdvi-(?!0x).*/, 'amdvi-0x20');
  return pattern
    .split('/')
    .map((s) => (s.includes('*') ? segment(s) : s))
    .join('/')
    .replace('amdvi-amdvi-', 'amdvi-');
}

/** A world with some texts; objects come with the events that name them, as in an import. */
export function emptyWorld(): World {
  const world = new World();
  for (const text of ['nvme', 'eth0-rx-0', 'msix', 'msi', 'intx', '0000:00:03.0', 'local_timer'])
    world.strings.intern(text);
  return world;
}

/** A world that has all objects from the start. */
export function smallWorld(): World {
  const world = emptyWorld();
  for (const [type, path] of THINGS) world.object(type, path);
  return world;
}

export interface RandomEvent {
  readonly kind: number;
  readonly cpu: number;
  readonly object: number;
  readonly words: Uint32Array;
}

/** Random events; the world gets their objects one by one. */
export function* randomEvents(world: World, seed: number, count: number): Generator<RandomEvent> {
  const next = randomWords(seed);
  const below = (n: number): number => next() % n;
  const pick = <T>(of: readonly T[]): T => of[below(of.length)]!;
  const anyWord = (): number => {
    const chance = below(100);
    if (chance < 60) return below(6);
    if (chance < 90) return pick(TELLING);
    return next();
  };
  // The texts of the events are there before their effects make others of them, as in an import.
  const texts = world.strings.size;
  for (let i = 0; i < count; i++) {
    const kind = below(vocabulary.length);
    const { on, args, size } = vocabulary[kind]!;
    const wanted = on.length > 0 && below(20) > 0 ? pick(on) : undefined;
    const [type, path] = pick(wanted ? THINGS.filter(([t]) => t === wanted) : THINGS);
    const words = new Uint32Array(Math.max(1, size)).map(anyWord);
    const object = world.object(type, path);
    for (const arg of args) {
      if (arg.type === 'o' && below(10) > 0) words[arg.at] = below(world.objects);
      if (arg.type === 's' && words[arg.at]! >= texts) words[arg.at] = below(texts);
    }
    yield { kind, cpu: below(6) - 1, object, words };
  }
}

/** A trace of random events. */
export function randomTrace(seed: number, count: number): Trace {
  const world = emptyWorld();
  const trace = new Trace(world, new Source({ file: 'random', format: 'none', clock: 'none' }));
  let step = 0;
  for (const { kind, cpu, object, words } of randomEvents(world, seed, count)) {
    trace.append(rowOf({ kind, time: step * 1000, cpu, object, line: step + 1, offset: step * 10, words }));
    step++;
  }
  trace.first.accounting.lines = count;
  trace.first.accounting.records = count;
  trace.first.accounting.understood = count;
  return trace;
}
