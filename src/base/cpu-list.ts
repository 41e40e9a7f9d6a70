/** Sets of CPUs as the kernel prints them: lists (`0-3,8`, bitmap_print_list) and masks (`f0000000,0000000f`, bitmap_print_string). */

/** No kernel has more CPUs (CONFIG_NR_CPUS): a larger number is damage. */
const MOST = 8192;
const LIST = /^(?:\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)?$/;
const MASK = /^[0-9a-f]{1,8}(?:,[0-9a-f]{8})*$/i;
const WORD = 32;

/** The numbers in a list, in their order; undefined for a text that is no list. The empty text is the empty list. */
export function numbersOf(list: string): number[] | undefined {
  if (!LIST.test(list)) return undefined;
  const numbers: number[] = [];
  if (list === '') return numbers;
  for (const part of list.split(',')) {
    const [first, last = first] = part.split('-').map(Number) as [number, number?];
    if (last < first || last >= MOST) return undefined;
    for (let n = first; n <= last; n++) numbers.push(n);
  }
  return numbers;
}

/** Ascending numbers as a list: runs as `first-last`. */
export function listOf(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let end = i;
    while (numbers[end + 1] === numbers[end]! + 1) end++;
    parts.push(end === i ? String(numbers[i]) : `${numbers[i]}-${numbers[end]}`);
    i = end + 1;
  }
  return parts.join(',');
}

/** A mask as a list; undefined for a text that is no mask. */
export function listOfMask(mask: string): string | undefined {
  if (!MASK.test(mask)) return undefined;
  const words = mask.split(',').reverse();
  if (words.length * WORD > MOST) return undefined;
  const numbers: number[] = [];
  for (const [i, text] of words.entries()) {
    const word = Number.parseInt(text, 16);
    for (let bit = 0; bit < WORD; bit++) if (((word >>> bit) & 1) === 1) numbers.push(i * WORD + bit);
  }
  return listOf(numbers);
}
