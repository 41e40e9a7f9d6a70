// lspci output and dumps of config space, mutated; and files of config space with bytes changed: circles of capabilities, offsets that
// lead out of their part, absurd sizes. Whatever is read has its lines counted and its state right.
import { fixtureLines, snapshotFixtures } from '../../helpers/fixtures.ts';
import { randomWords } from '../../model/random.ts';
import { checkAccounting, checkState, importMutant } from './fuzz-captures.ts';
import type { Trial } from './fuzz-kinds.ts';
import { mutantOf } from './mutate.ts';

/** Fixtures of lspci and of dumps of config space. */
const names = (): string[] => snapshotFixtures().filter((name) => /lspci|pci-config/.test(name));

let read: readonly Uint8Array[] | undefined;

/** The config spaces that the rows of the hex dumps of lspci show, read once. */
function configSpaces(): readonly Uint8Array[] {
  if (read !== undefined) return read;
  const spaces: number[][] = [];
  for (const { text } of fixtureLines('x86-vtd/snap-lspci-before.txt')) {
    const row = /^([\da-f]{2,3}):((?: [\da-f]{2}){16})$/.exec(text);
    if (row === null) continue;
    if (row[1] === '00') spaces.push([]);
    spaces.at(-1)!.push(
      ...row[2]!
        .trim()
        .split(' ')
        .map((byte) => Number.parseInt(byte, 16)),
    );
  }
  read = spaces.map((bytes) => Uint8Array.from(bytes));
  return read;
}

/** A mutated input of PCI functions. */
export function fuzzPci(seed: number): Trial {
  const next = randomWords(seed);
  const rng = (below: number): number => (below <= 1 ? 0 : next() % below);
  if (rng(3) > 0) {
    const mutant = mutantOf(seed, names());
    return {
      story: mutant.story,
      run: () => {
        const trace = importMutant(mutant.bytes, 1 + rng(rng(2) ? 100_000 : 3000));
        if (trace === undefined) return { read: false, events: 0 };
        checkAccounting(trace);
        checkState(trace, next);
        return { read: true, events: trace.length };
      },
    };
  }
  const spaces = configSpaces();
  const bytes = spaces[rng(spaces.length)]!.slice();
  const changes = 1 + rng(60);
  // Pointers and headers of capabilities above all.
  for (let n = changes; n > 0; n--)
    bytes[rng(4) === 0 ? rng(bytes.length) : rng(Math.min(512, bytes.length))] = rng(256);
  const size = [64, 128, 256, 4096, rng(5000)][rng(5)]!;
  const cut = bytes.subarray(0, size);
  return {
    story: `a config space of ${cut.length} bytes, ${changes} bytes changed`,
    run: () => {
      const trace = importMutant(cut, 1 + rng(cut.length));
      if (trace === undefined) return { read: false, events: 0 };
      checkAccounting(trace);
      checkState(trace, next);
      return { read: true, events: trace.length };
    },
  };
}
