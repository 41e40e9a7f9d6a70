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
  /** Line from 1, and its text with the change marked as [old => new]. */
  line: number;
  marked: string;
}

function mark(source: string, { start, end }: Site, text: string): Pick<Mutant, 'line' | 'marked'> {
  const from = source.lastIndexOf('\n', start - 1) + 1;
  const next = source.indexOf('\n', end);
  const to = next < 0 ? source.length : next;
  const marked = `${source.slice(from, start)}[${source.slice(start, end)} => ${text}]${source.slice(end, to)}`;
  return { line: source.slice(0, start).split('\n').length, marked: marked.trim().replace(/\s+/g, ' ') };
}

/** Some mutants of a room, without repetition; all of them when it has fewer. `part` limits the files by name. */
export function sample(tree: string, room: string, count: number, seed: number, part = ''): Mutant[] {
  const all = sourceFiles(tree, `src/${room}`)
    .filter((file) => file.includes(part))
    .flatMap((file) => {
      const source = readFileSync(join(tree, file), 'utf8');
      return sites(source).map((site) => ({ file, source, site }));
    });
  const random = new Random(seed);
  const chosen: Mutant[] = [];
  while (chosen.length < count && all.length > 0) {
    const at = random.integer(0, all.length - 1);
    const { file, source, site } = all[at]!;
    all[at] = all.at(-1)!;
    all.pop();
    const { kind, start, end, texts } = site;
    const text = random.pick(texts);
    chosen.push({ room, file, kind, start, end, text, ...mark(source, site, text) });
  }
  return chosen;
}
