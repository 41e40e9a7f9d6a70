/**
 * The line of lspci that tells the irqs of a function: lspci.c of pciutils, up to 3.14 `Interrupt:`, from 3.15 on `Interrupts:`. The form of the latter is
 * that of captures of 3.15 and of the texts in the program; a capture with several ranges, which `, ` should part, was not seen.
 */

/** On some machines the irq is a hexadecimal number of eight digits, which tells no Linux irq. */
const INTERRUPT = /^Interrupt: pin ([A-D?]) routed to IRQ (?:(\d{1,7})|[\da-f]{8})$/;

const RANGE = String.raw`\d{1,7}(?:-\d{1,7})?`;
/**
 * lspci from version 3.15: the pin, whether the function may use it (the INTx Disable bit), its irq, and the irqs of messages as the
 * kernel lists them in `msi_irqs`. Each part may be missing, but not all of them.
 */
const INTERRUPTS = new RegExp(
  String.raw`^Interrupts:(?: (?:pin ([A-D])|pin #\d{1,3}|unknown pin)( disabled)?(?: routed to IRQ (\d{1,7}))?(?=$|,))?(?:,? MSI\(X\) routed to IRQ (${RANGE}(?:, ?${RANGE})*))?$`,
);

/** Most messages of a function: an MSI-X table has at most as many entries. */
const MOST_MESSAGES = 2048;

/** What such a line tells: pin 1 to 4 (INTA to INTD), the irq of the pin, and those of messages. Undefined: not told. */
export interface InterruptsLine {
  readonly pin: number | undefined;
  readonly irq: number | undefined;
  readonly messages: readonly number[];
}

const pinOf = (letter: string | undefined): number | undefined =>
  letter === undefined || letter === '?' ? undefined : 'ABCD'.indexOf(letter) + 1;

/** Reads the line; undefined when it is another one. */
export function interruptsOf(plain: string): InterruptsLine | undefined {
  const one = INTERRUPT.exec(plain);
  if (one !== null) return { pin: pinOf(one[1]), irq: Number(one[2] ?? 0), messages: [] };
  const all = INTERRUPTS.exec(plain);
  if (all === null || plain === 'Interrupts:') return undefined;
  const messages = irqsOf(all[4] ?? '');
  if (messages === undefined) return undefined;
  return { pin: pinOf(all[1]), irq: all[3] === undefined ? undefined : Number(all[3]), messages };
}

/** The irqs of ranges such as `30-34, 40`; undefined when no function has as many, or a range ends before it begins. */
function irqsOf(ranges: string): number[] | undefined {
  const irqs: number[] = [];
  for (const range of ranges === '' ? [] : ranges.split(',')) {
    const [first, last] = range.split('-').map(Number);
    const end = last ?? first!;
    if (end < first! || irqs.length + end - first! >= MOST_MESSAGES) return undefined;
    for (let irq = first!; irq <= end; irq++) irqs.push(irq);
  }
  return irqs;
}
