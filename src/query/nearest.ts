/** Number of edits (insert, delete, replace, swap of neighbours) that turn one word into another, capped at `most` + 1. */
export function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return Math.min(last[b.length]!, most + 1);
}

/** The candidates that a mistyped word may mean, nearest first: a few edits away, or one of the two words contains the other. */
export function nearest(word: string, candidates: Iterable<string>, count = 3): string[] {
  const lower = word.toLowerCase();
  const most = Math.max(1, Math.floor(lower.length / 3));
  const found: { text: string; far: number }[] = [];
  for (const text of candidates) {
    const other = text.toLowerCase();
    let far = distance(lower, other, most);
    if (far > most && lower.length > 1 && (other.includes(lower) || (other.length > 1 && lower.includes(other))))
      far = most + 1;
    else if (far > most) continue;
    found.push({ text, far });
  }
  found.sort((a, b) => a.far - b.far);
  return found.slice(0, count).map((f) => f.text);
}

/** What a message adds that names something which does not exist: the nearest name that does; nothing where none is near. */
export function orNearest(word: string, candidates: Iterable<string>): string {
  const [near] = nearest(word, candidates, 1);
  return near === undefined ? '' : `: did you mean ${near}?`;
}
