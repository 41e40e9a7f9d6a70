// A seeded choice of mutants: the same sources, seed and count give the same mutants on every machine.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { type Site, sites } from './mutations.ts';
import { sourceFiles } from './tree.ts';

/** One small change of one source file. */
export interface Mutant {
  room: string;
  /** Path from the root. */
  file: string;
  kind: Site['kind'];
  start: number;
  end: number;
  /** What stands there instead. */
  text: string;
}

/** Some mutants of a room, without repetition; all of them when it has fewer. `part` limits the files by name. */
export function sample(tree: string, room: string, count: number, seed: number, part = ''): Mutant[] {
  const all = sourceFiles(tree, `src/${room}`)
    .filter((file) => file.includes(part))
    .flatMap((file) => sites(readFileSync(join(tree, file), 'utf8')).map((site) => ({ file, site })));
  const random = new Random(seed);
  const chosen: Mutant[] = [];
  while (chosen.length < count && all.length > 0) {
    const at = random.integer(0, all.length - 1);
    const { file, site } = all[at]!;
    all[at] = all.at(-1)!;
    all.pop();
    const { kind, start, end, texts } = site;
    chosen.push({ room, file, kind, start, end, text: random.pick(texts) });
  }
  return chosen;
}
