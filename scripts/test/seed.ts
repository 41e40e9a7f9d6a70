// The number from which all random inputs of the tests come. A run of the suites says the same of the same code each time; other numbers are for looking further.
import { randomInt } from 'node:crypto';

const SEED = process.env['IRQSCOPE_SEED'];

/** `IRQSCOPE_SEED`: a number, or `random` for one that is new in each run; 1 when it is not set. */
export const seed: number = SEED === undefined ? 1 : SEED === 'random' ? randomInt(2 ** 31) : Number(SEED);
if (!Number.isInteger(seed)) throw new Error(`IRQSCOPE_SEED is ${SEED}: expected a whole number or \`random\``);
