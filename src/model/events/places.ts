import type { State } from '../state.ts';
import { cpu, domain, vector } from '../things/irq.ts';

/** Linux's placeholder vector of reserved and shut down interrupts (arch/x86 MANAGED_IRQ_SHUTDOWN_VECTOR). */
export const SHUTDOWN_VECTOR = 239;

/** The object of a CPU. */
export const cpuObject = (state: State, n: number): number => state.here.byNumbers(cpu, n, 0, (a) => `cpu/${a}`);

/** The object of a vector of a CPU. */
export const vectorObject = (state: State, n: number, v: number): number =>
  state.here.byNumbers(vector, n, v, (a, b) => `cpu/${a}/vector/${b}`);

/** The object of the x86 vector domain. */
export const vectorDomain = (state: State): number => state.here.byNumbers(domain, 0, 0, () => 'domain/VECTOR');

/** Whether a pair of numbers names a vector that can exist; keeps nonsense in a damaged trace from making objects. */
export const isVector = (n: number, v: number): boolean => n < 0x10000 && v > 0 && v < 256;
