// A trace file in which an entry sends a message although it is masked: F03, at the last event. Line n + 3 holds step n.
const FN = 'device/0000:03:00.0';
export const ENTRY = `${FN}/msix/1`;

const EVENTS: readonly string[] = [
  `cfg.read ${FN} offset=0x4 size=2 value=0x406`,
  `cfg.read ${FN} offset=0x34 size=1 value=0x60`,
  `cfg.read ${FN} offset=0x60 size=4 value=0x80030011`,
  `tbl.write ${ENTRY} offset=0x0 size=4 value=0xfee00000`,
  `tbl.write ${ENTRY} offset=0x4 size=4 value=0x0`,
  `tbl.write ${ENTRY} offset=0x8 size=4 value=0x21`,
  `tbl.write ${ENTRY} offset=0xc size=4 value=0x1`,
  `dev.raise ${ENTRY} vector=1`,
  `send ${ENTRY} address=0xfee00000 data=0x21`,
];

/** The last event about the function, the one that masked the entry, and the message. */
export const STEPS = { fn: 2, mask: 6, send: 8 } as const;

/** The file. `events`: how many of its events, from the first on; the first 8 break no rule. */
export function maskedSend(events = EVENTS.length): string {
  const lines = EVENTS.slice(0, events).map((text, i) => `0.00000${i}000 cpu0 - ${text}`);
  return ['#irqtrace 1', '#clock seconds digits=9 "test"', ...lines, ''].join('\n');
}

/** The line of a step, from 1. */
export const lineOf = (step: number): number => step + 3;

/** The text of the line of a step. */
export const textOfStep = (step: number): string => maskedSend().split('\n')[lineOf(step) - 1]!;
